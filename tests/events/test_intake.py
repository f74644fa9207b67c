"""Records that others hand over become events, each once."""

import json
from typing import Any

import msgspec
import pytest

from daemon.events.intake import IntakeReader, find_fault
from daemon.events.jsonl import Shaping
from daemon.events.stamps import Stamps
from daemon.model import Checkpoint, Event, Lines, Logsource, Position
from tests.doubles.tool_records import FALCO, KUBERNETES, SYSMON_XML, alertmanager, an_alertmanager_alert

T0 = 1_795_253_449.0
STAMPS = Stamps(lambda: T0, None)


def a_reader(preset: str = "auto", **bounds: int) -> IntakeReader:
    return IntakeReader("tools", host="web-1", stamps=STAMPS, shaping=Shaping(preset), **bounds)


def handed(*records: Any, key: str = "", nonce: str = "n1") -> Lines:
    rows = [
        {"id": f"{nonce}:{n}", "at": T0 + 5, "record": record, "key": f"{key}:{n}" if key else ""}
        for n, record in enumerate(records)
    ]
    place = Position("intake:tools", nonce, 0)
    return Lines("tools", b"".join(json.dumps(row).encode() + b"\n" for row in rows), place, Checkpoint("tools", place))


def read(reader: IntakeReader, lines: Lines) -> list[Event]:
    return [one for one in reader.feed(lines) if isinstance(one, Event)]


def test_a_record_is_an_event_of_its_time_and_host() -> None:
    alert, process = read(a_reader(), handed(FALCO))
    assert (alert.logsource, alert.host, alert.source) == (Logsource("falco", service="alert"), "node-7", "tools")
    assert alert.at == pytest.approx(1_795_253_449.264)
    assert process.logsource.category == "process_creation"
    assert alert.id != process.id
    (generic,) = read(a_reader(), handed({"a": 1}))
    assert (generic.at, generic.host) == (T0 + 5, "web-1")


@pytest.mark.parametrize("record", [FALCO, alertmanager(), KUBERNETES])
def test_what_its_sender_names_is_taken_once_also_after_a_restart(record: dict[str, Any]) -> None:
    """The worst bug: Alertmanager hears no answer, sends again, and there are two incidents."""
    first = a_reader()
    events = read(first, handed(record))
    assert events
    assert read(first, handed(record, nonce="n2")) == []
    second = a_reader()
    second.restore(first.changes())
    assert read(second, handed(record, nonce="n3")) == []
    assert first.changes() == []
    assert first.repeated == second.repeated == len(events)


def test_another_start_or_end_of_an_alert_is_news() -> None:
    reader = a_reader()
    alert = an_alertmanager_alert()
    assert len(read(reader, handed(alertmanager(alert)))) == 1
    assert len(read(reader, handed(alertmanager(alert, an_alertmanager_alert("resolved"))))) == 1
    assert len(read(reader, handed(alertmanager({**alert, "startsAt": "2026-11-21T10:00:00Z"})))) == 1


def test_the_name_of_a_request_names_its_records_and_without_one_each_is_new() -> None:
    reader = a_reader()
    same = {"a": 1}
    assert len(read(reader, handed(same, same, key="msg_1"))) == 2
    assert len(read(reader, handed(same, same, key="msg_1", nonce="n2"))) == 0
    assert len(read(reader, handed(same, same, key="msg_2", nonce="n3"))) == 2
    unnamed = [*read(reader, handed(same, same, nonce="n4")), *read(reader, handed(same, same, nonce="n5"))]
    assert len({event.id for event in unnamed}) == 4


def test_a_named_request_keeps_every_alert_of_a_notification_that_names_none() -> None:
    reader = a_reader()
    alerts = [an_alertmanager_alert(), an_alertmanager_alert()]
    for number, alert in enumerate(alerts):
        del alert["fingerprint"]
        alert["labels"] = {"alertname": f"A{number}"}
    events = read(reader, handed(alertmanager(*alerts), key="msg_1"))
    assert [event.fields["alertname"] for event in events] == ["A0", "A1"]
    assert read(reader, handed(alertmanager(*alerts), key="msg_1", nonce="n2")) == []


def test_a_number_of_sysmon_that_begins_anew_is_no_repeat() -> None:
    reader = a_reader()
    assert len(read(reader, handed({"message": SYSMON_XML}))) == 1
    assert len(read(reader, handed({"message": SYSMON_XML}, nonce="n2"))) == 0
    later = SYSMON_XML.replace("09:30:49.270", "09:45:00.000")
    assert len(read(reader, handed({"message": later}, nonce="n3"))) == 1


def test_what_is_remembered_is_bounded_and_the_oldest_goes() -> None:
    reader = a_reader(most_known=3)
    for number in range(5):
        read(reader, handed({"a": 1}, key=f"k{number}"))
    assert (len(reader._known), reader.evictions) == (3, 2)
    rows = reader.changes()
    assert sum(row.value is None for row in rows) == 2
    assert len(read(reader, handed({"a": 1}, key="k4"))) == 0
    assert len(read(reader, handed({"a": 1}, key="k0"))) == 1


def test_what_was_repeated_lately_is_not_the_oldest_after_a_restart() -> None:
    first, second = a_reader(most_known=2), a_reader(most_known=2)
    for at, key in enumerate(["k0", "k1", "k0"]):
        lines = handed({"a": 1}, key=key)
        read(first, msgspec.structs.replace(lines, data=lines.data.replace(b'"at": 17', b'"at": %d' % (17 + at))))
    second.restore(first.changes())
    read(second, handed({"a": 1}, key="k2"))
    assert read(second, handed({"a": 1}, key="k0")) == []
    assert len(read(second, handed({"a": 1}, key="k1"))) == 1


def test_rows_of_others_and_broken_ones_are_ignored() -> None:
    first, second = a_reader(), a_reader()
    read(first, handed({"a": 1}, key="k"))
    (row,) = first.changes()
    second.restore([type(row)("other", "x", b"1"), type(row)(row.step, "y", b"z"), row])
    assert row.key in second._known
    assert "x" not in second._known


@pytest.mark.parametrize(
    ("preset", "record", "expected"),
    [
        ("auto", {"a": 1}, ""), ("auto", FALCO, ""), ("falco", FALCO, ""), ("falco", {"a": 1}, "a record of falco"),
        ("auto", 5, "a JSON object"), ("auto", [], "a JSON object"), ("alertmanager", FALCO, "a record of alertmanager"),
    ],
)  # fmt: skip
def test_a_fault_says_what_was_expected(preset: str, record: Any, expected: str) -> None:
    assert find_fault(record, Shaping(preset), STAMPS) == expected


def test_a_notification_without_alerts_is_nothing_to_take() -> None:
    assert "something in it" in find_fault(alertmanager() | {"alerts": []}, Shaping("auto"), STAMPS)
