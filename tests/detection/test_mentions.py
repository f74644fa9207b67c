"""Every field that a document names is found, at its own line."""

from daemon.detection.mentions import mentions_in
from daemon.detection.rules_document import read_documents

RULE = """title: T
logsource: {product: linux}
tellwhy:
    entity:
        - User
        - host
    title_from: SYSCALL
    techniques_from: [tags]
detection:
    maps:
        - Image|endswith: /x
          '|all': [a, b]
        - User|fieldref: Other
    words: [a, b]
    both:
        CommandLine|contains|all: [a, b]
    condition: 1 of them
"""
FILTER = "title: F\nlogsource: {product: linux}\nfilter:\n    rules: any\n    s: {auid: 0}\n    condition: not s\n"
CORRELATION = "title: C\ncorrelation: {type: event_count, group-by: [a]}\ntellwhy: {entity: src_ip}\n"


def mentioned(text: str, kind: str) -> list[tuple[str, str, int]]:
    (document,), problems = read_documents("r.yml", text)
    assert problems == []
    return [(one.field, one.key, one.line) for one in mentions_in(document, kind)]


def test_fields_of_maps_lists_references_and_the_entity() -> None:
    assert mentioned(RULE, "detection") == [
        ("Image", "detection.maps.Image", 11),
        ("User", "detection.maps.User", 13),
        ("Other", "detection.maps.User|fieldref", 13),
        ("CommandLine", "detection.both.CommandLine", 16),
        ("User", "tellwhy.entity", 5),
        ("host", "tellwhy.entity", 6),
        ("SYSCALL", "tellwhy.title_from", 7),
        ("tags", "tellwhy.techniques_from", 8),
    ]


def test_a_filter_has_searches_and_a_correlation_has_none() -> None:
    assert mentioned(FILTER, "filter") == [("auid", "filter.s.auid", 5)]
    assert mentioned(CORRELATION, "correlation") == [("src_ip", "tellwhy.entity", 3)]
