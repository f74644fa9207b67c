"""What is unwise is said, and a right rule never accused."""

from pathlib import Path

import pytest

from daemon.config import read_rule_files
from daemon.detection.rules import parse_rules
from daemon.detection.wise import unwise
from tests.doubles.detection import rule_text

SPARK = "proc_creation_lnx_exploit_cve_2022_33891_spark_shell_command_injection"
NPM = "proc_creation_lnx_mal_shai_hulud_malicious_npm_package_installation"
NEVER = "expected a path with slashes: never matches on Linux"
BASE = """\
title: Base
name: base
logsource: {product: linux, category: process_creation}
detection: {s: {a: 1}, condition: s}
---
title: Other
name: other
logsource: {product: linux, category: process_creation}
detection: {s: {b: 1}, condition: s}
---
title: C
correlation:
    rules: [base, other]
    timespan: 5m
"""


def said(text: str, *, json_lines: bool = True) -> list[str]:
    parsed = parse_rules({"r.yml": text})
    assert parsed.problems == ()
    found = [one for one in unwise(parsed, json_lines=json_lines, journal=json_lines) if one.key != "id"]
    return [str(problem).removeprefix("r.yml:") for problem in found]


def of_detection(detection: str, logsource: str = "{product: linux, category: process_creation}") -> list[str]:
    return said(rule_text(detection, logsource=logsource))


def test_of_sigmahq_s_linux_rules_two_can_never_match(shared_data: Path) -> None:
    paths = sorted((shared_data / "sigma-rules").rglob("*.yml"))
    found = unwise(
        parse_rules({path.name: path.read_text(encoding="utf-8") for path in paths}), json_lines=False, journal=False
    )
    assert [str(problem) for problem in found] == [
        f'{SPARK}.yml:20: detection.selection: {NEVER} (ParentImage ends with "\\bash")',
        f'{NPM}.yml:23: detection.selection_img: {NEVER} (Image ends with "\\node")',
    ]


def test_none_of_our_own_rules_is_unwise() -> None:
    assert unwise(parse_rules(read_rule_files(["shipped"])), json_lines=False, journal=False) == ()


@pytest.mark.parametrize(
    ("detection", "expected"),
    [
        (
            "    s:\n        Image: 'C:\\Windows\\cmd.exe'\n    condition: s",
            '5: detection.s: expected a path with slashes: never matches on Linux (Image is "C:\\Windows\\cmd.exe")',
        ),
        (
            "    s:\n        a: 1\n    t:\n        Image|endswith: ['\\bash', '/bash']\n    condition: s and not t",
            '7: detection.t: expected a path with slashes: never matches on Linux (Image ends with "\\bash")',
        ),
        (
            "    s:\n        a: 1\n    unused:\n        b: 1\n    condition: s",
            "7: detection.unused: expected a search that the condition names: this one changes nothing",
        ),
        (
            "    s:\n        image|endswith: /bash\n    condition: s",
            "6: detection.s.image: expected Image: names of fields keep their case (got image)",
        ),
        (
            "    s:\n        a: 1\n    condition: s and not s",
            "4: detection.condition: expected a condition that can hold: s is demanded and excluded",
        ),
        (
            "    s:\n        a: 1\n    t:\n        a: [1, 2]\n    condition: s and not t",
            '4: detection.condition: expected a condition that can hold: (a is "1") is demanded and excluded',
        ),
        (
            "    s:\n        a: null\n        a|contains: x\n    condition: s",
            "4: detection.condition: expected a condition that can hold: a has no value and is compared",
        ),
        (
            "    s: [0, 6]\n    condition: s",
            "4: detection.condition: expected more than this: nearly every record contains the number 0",
        ),
    ],
)
def test_what_does_nothing_or_can_never_hold(detection: str, expected: str) -> None:
    found = of_detection(detection)
    assert [line.split(": ", 1)[1] for line in found][:1] == [expected.split(": ", 1)[1]]


ONE = "CommandLine has one value, which never "


@pytest.mark.parametrize(
    ("detection", "expected"),
    [
        ("    s:\n        CommandLine|all: [a, b]\n    condition: s", f'{ONE}is "a" and is "b"'),
        (
            "    a: {CommandLine: x}\n    b: {CommandLine|contains: y}\n    condition: a and b",
            f'{ONE}is "x" and contains "y"',
        ),
        (
            "    a: {CommandLine|startswith: sh}\n    b: {CommandLine|startswith: ba}\n    condition: a and b",
            f"{ONE}starts with",
        ),
        ("    s:\n        CommandLine|contains|all: [a, b]\n    condition: s", ""),
        ("    a: {CommandLine: x}\n    b: {CommandLine|contains: X}\n    condition: a and b", ""),
        ("    a: {CommandLine|startswith: sh}\n    b: {CommandLine|startswith: shell}\n    condition: a and b", ""),
        ("    a: {Image: /bin/sh}\n    b: {Image: /bin/dash}\n    condition: a and b", ""),
        ("    a: {CommandLine: x}\n    b: {CommandLine: y}\n    condition: a or b", ""),
        ("    a: {CommandLine: x}\n    b: {CommandLine: y}\n    condition: a and not b", ""),
    ],
)
def test_two_values_at_once_are_doubted_where_only_our_own_events_are_read(detection: str, expected: str) -> None:
    text = rule_text(detection)
    found = [line for line in said(text, json_lines=False) if "has one value" in line]
    assert (expected in found[0]) if expected else found == []
    assert said(text) == []


@pytest.mark.parametrize(
    ("item", "near"),
    [
        ("action: login_fail", "login_failed"), ("action: [login, loginfailed]", "login_failed"), ("result: succes", "success"),
        ("action: login_failed", ""), ("action: Login_Failed", ""), ("action: 'login*'", ""), ("action: backup", ""),
        ("user: logi", ""),
    ],
)  # fmt: skip
def test_a_value_that_is_nearly_one_that_the_field_has(item: str, near: str) -> None:
    text = rule_text(f"    s:\n        {item}\n    condition: s", logsource="{product: linux, service: sshd}")
    found = said(text, json_lines=False)
    assert [line.partition(" – ")[2] for line in found] == ([f"did you mean {near}?"] if near else [])
    assert said(text) == []


def test_a_category_beside_a_service_is_of_no_event_of_ours() -> None:
    text = rule_text(
        "    s: {exe: /bin/sh}\n    condition: s",
        logsource="{product: linux, category: process_creation, service: auditd}",
    )
    expected = "expected category or service: only JSON lines can be of both (got auditd beside it)"
    assert said(text, json_lines=False) == [f"3: logsource.service: {expected}"]
    assert said(text) == []


def test_lines_are_those_of_the_key() -> None:
    found = of_detection("    s:\n        a: 1\n    unused:\n        b: 1\n    condition: s and not s")
    assert [line.split(": ")[0:2] for line in found] == [["7", "detection.unused"], ["9", "detection.condition"]]


def test_logsources_that_only_json_lines_have() -> None:
    def found(logsource: str, *, json_lines: bool = False) -> list[str]:
        text = rule_text("    s: [word]\n    condition: s", logsource=logsource)
        return said(text, json_lines=json_lines)

    assert "(got dns_query)" in found("{category: dns_query}")[0]
    assert "(got windows)" in found("{product: windows, service: security}")[0]
    assert "(got anything)" in found("{product: linux, service: anything}")[0]
    assert found("{product: linux, service: ssh}")[0].endswith("(got ssh) – did you mean sshd?")
    assert found("{product: linux, service: su}")[0].endswith("(got su) – did you mean auth?")
    assert found("{category: file_event}") == found("{service: cron}") == found("{product: linux}") == []
    assert found("{category: dns_query}", json_lines=True) == found("{service: anything}", json_lines=True) == []


@pytest.mark.parametrize(
    "detection",
    [
        "    s:\n        CommandLine|contains: '\\x41'\n    condition: s",
        "    s:\n        CommandLine|endswith: '\\bash'\n    condition: s",
        "    s:\n        Image|contains: '\\'\n    condition: s",
        "    s:\n        Image|endswith: '/a\\b'\n    condition: s",
        "    s:\n        a: 1\n    _parked:\n        b: 1\n    condition: s",
        "    s:\n        a: 1\n    t:\n        a: 2\n    condition: s and not t",
        "    s:\n        a|cased: x\n    t:\n        a: x\n    condition: t and not s",
        "    s:\n        a: 1\n    t:\n        a: 2\n    condition: s and t",
        "    s:\n        a: null\n    t:\n        a: x\n    condition: s or t",
        "    s:\n        a|exists: true\n        a|contains: x\n    condition: s",
        "    s:\n        a: 1\n    filter:\n        a: null\n    condition: s and not filter",
        "    s: [0, 6]\n    t: [init]\n    condition: s and t",
        "    s: [40000]\n    condition: s",
        "    s:\n        uid: 0\n        USERS: x\n        image_name: x\n    condition: s",
    ],
)
def test_a_right_rule_is_not_accused(detection: str) -> None:
    assert of_detection(detection) == []


def test_windows_paths_are_right_for_windows() -> None:
    item = "    s:\n        Image|endswith: '\\cmd.exe'\n    condition: s"
    assert not any("slashes" in line for line in of_detection(item, "{product: windows, category: process_creation}"))


@pytest.mark.parametrize(
    ("section", "unwise_key"),
    [
        ("type: event_count\n    condition: {lt: 1}", "correlation.condition"),
        ("type: event_count\n    condition: {eq: 0}", "correlation.condition"),
        ("type: event_count\n    condition: {lte: 1}", ""),
        ("type: event_count\n    condition: {gte: 3, lte: 9}", ""),
        ("type: event_count\n    condition: {neq: 1}", ""),
        ("type: value_count\n    condition: {lt: 1, field: a}", "correlation.condition"),
        ("type: value_sum\n    condition: {lt: 0, field: a}", ""),
        ("type: temporal\n    condition: {gte: 3}", "correlation.condition"),
        ("type: temporal\n    condition: {gte: 2}", ""),
        ("type: temporal", ""),
        ("type: temporal\n    condition: base and other and not base", "correlation.condition"),
        ("type: temporal\n    condition: base and not other", ""),
        ("type: temporal\n    group-by: [user]", "correlation.group-by"),
        ("type: temporal\n    group-by: [User]", ""),
        ("type: temporal\n    group-by: [whatever]", ""),
        ("type: temporal\n    group-by: [u]\n    aliases: {u: {base: user, other: User}}", "correlation.group-by"),
    ],
)
def test_correlations_that_can_never_fire_or_group(section: str, unwise_key: str) -> None:
    found = said(f"{BASE}    {section}\n")
    assert [line.split(": ")[1] for line in found] == [unwise_key] * (unwise_key != "")


def test_filters_that_filter_nothing() -> None:
    def filtering(rules: str, category: str = "process_creation") -> list[str]:
        more = f"logsource: {{category: {category}}}\nfilter: {{rules: {rules}, s: {{b: 9}}, condition: not s}}"
        return said(f"{BASE}    type: temporal\n    id: x\n---\ntitle: F\n{more}\n".replace("    id: x\n", ""))

    assert filtering("any") == filtering("[base]") == []
    assert "filters nothing" in filtering("any", "file_event")[0]
    assert "filters nothing" in filtering("[base]", "file_event")[0]


COUNTED = """\
title: Logins
id: 11111111-1111-4111-8111-111111111111
name: logins
logsource: {product: linux, service: sshd}
detection: {s: {action: login}, condition: s}
"""
COUNT = """\
---
title: Many %s
id: 22222222-2222-4222-8222-22222222222%s
correlation:
    type: event_count
    rules: logins
    group-by: [source_ip]
    timespan: 5m
    condition: {gte: 9}
tellwhy:
    entity: [host, src_pi]
"""


def test_each_correlation_has_its_own_lines_and_its_own_name() -> None:
    found = said(COUNTED + COUNT % ("a", 1) + COUNT % ("b", 2), json_lines=False)
    pools = "expected a field of service sshd (got source_ip: all would be one group) – did you mean src_ip?"
    entity = "expected a field of service sshd (got src_pi) – did you mean src_ip?"
    assert found == [
        f"12: correlation.group-by: {pools} [Many a]",
        f"16: tellwhy.entity: {entity} [Many a]",
        f"23: correlation.group-by: {pools} [Many b]",
        f"27: tellwhy.entity: {entity} [Many b]",
    ]


def test_a_logsource_is_told_at_its_own_line_and_not_at_the_document_s_beginning() -> None:
    text = "---\n# a comment\ntitle: T\nid: 11111111-1111-4111-8111-111111111111\nlogsource:\n    product: linux\n    service: ssh\n"
    (found,) = said(f"{text}detection: {{s: [x], condition: s}}\n", json_lines=False)
    assert found.startswith("7: logsource.service: expected one of ")


def test_fields_that_group_by_and_entity_may_always_name() -> None:
    text = COUNTED + COUNT % ("a", 1)
    assert said(text.replace("source_ip", "host").replace("src_pi", "source"), json_lines=False) == []
    assert said(text.replace("source_ip", "src_ip").replace("src_pi", "user"), json_lines=False) == []


def test_a_filter_s_fields_are_read_too() -> None:
    rule = rule_text("    s:\n        User: x\n    condition: s")
    text = f"{rule}---\ntitle: F\nlogsource: {{category: process_creation}}\nfilter: {{rules: any, s: {{Usr: 9}}, condition: not s}}\n"
    assert said(text, json_lines=False) == [
        "11: filter.s.Usr: expected a field of process_creation (got Usr) – did you mean User? [F]"
    ]
