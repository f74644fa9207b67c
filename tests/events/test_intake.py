"""Records that others hand over become events, each once."""

import json
from typing import Any

import msgspec
import pytest

from daemon.events.intake import IntakeReader, find_fault
from daemon.events.jsonl import Shaping
from daemon.events.stamps import Stamps
from daemon.model import Checkpoint, Event, Lines, Logsource, Lost, Position
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


DAY = 86_400


@pytest.mark.parametrize("unit", [1, 1_000, 1_000_000, 1_000_000_000])
@pytest.mark.parametrize("text", [False, True])
@pytest.mark.parametrize(
    ("seconds", "at"),
    [
        (int(T0), T0), (int(T0) - 10 * 365 * DAY, T0 - 10 * 365 * DAY), (int(T0) + DAY - 10, T0 + DAY - 10),
        (int(T0) + DAY + 10, T0 + 5), (4_102_444_799, T0 + 5), (315_532_800, 315_532_800), (315_532_799, T0 + 5), (0, T0 + 5),
        (-int(T0), T0 + 5),
    ],
)  # fmt: skip
def test_a_time_that_nobody_can_mean_is_when_it_came(seconds: int, at: float, unit: int, text: bool) -> None:
    """Falco, Suricata and others count in units of their own; a clock that was never set, or one far ahead, is none."""
    time = str(seconds * unit) if text else seconds * unit
    (event,) = read(a_reader(), handed({"time": time}))
    assert event.at == pytest.approx(at)


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


class Broken(Stamps):
    """A defect of ours, met by one record only, until it is mended."""

    mended = False

    def iso(self, stamp: str) -> float | None:
        """As usual, but for one stamp."""
        if stamp != "broken":
            return super().iso(stamp)
        return T0 if self.mended else 1 / 0


def test_a_record_that_we_fail_on_costs_no_other_of_its_request() -> None:
    """The worst bug: ten thousand events were acknowledged, and one of them takes all others with it."""
    stamps = Broken(lambda: T0, None)
    reader = IntakeReader("tools", host="web-1", stamps=stamps, shaping=Shaping())
    records = [{"a": 1}, {"time": "broken"}, {"b": 2}, {**FALCO, "time": "broken"}, FALCO]
    found = reader.feed(handed(*records))
    losses = [one for one in found if isinstance(one, Lost)]
    events = [one for one in found if isinstance(one, Event)]
    assert losses == [Lost("tools", "reader_error", 1, T0 + 5, "ZeroDivisionError: division by zero")] * 2
    assert [event.fields.get("a", event.fields.get("b")) for event in events[:2]] == [1, 2]
    assert [event.logsource.product for event in events[2:]] == ["falco", "linux"]
    stamps.mended = True
    again = read(reader, handed({**FALCO, "time": "broken"}, nonce="n2"))
    assert [event.at for event in again] == [T0, T0], "what failed is not known: sent again, it is read"


def test_an_envelope_that_is_none_is_a_loss_of_its_own() -> None:
    lines = handed({"a": 1}, {"b": 2})
    torn = msgspec.structs.replace(lines, data=b"{\n" + lines.data)
    first, *others = a_reader().feed(torn)
    assert isinstance(first, Lost)
    assert (first.why, first.count, len(others)) == ("reader_error", 1, 2)


def test_it_tells_of_each_request_how_much_of_it_was_known() -> None:
    reader = a_reader()
    alerts = [an_alertmanager_alert(), an_alertmanager_alert(name="Other")]
    for nonce, records, repeats in (
        ("n1", [FALCO, {"a": 1}], 0), ("n2", [FALCO, {"a": 1}], 1), ("n3", [FALCO, FALCO, alertmanager(alerts[0])], 2),
        ("n4", [alertmanager(*alerts)], 0), ("n5", [alertmanager(*alerts)], 1), ("n6", [{"a": 1}, {"a": 1}], 0),
    ):  # fmt: skip
        reader.feed(handed(*records, nonce=nonce))
        assert reader.repeats_of(nonce) == repeats, nonce
    assert [reader.repeats_of(nonce) for nonce in ("n2", "n3", "unknown")] == [1, 2, 0]
    for number in range(300):
        reader.feed(handed({"a": 1}, nonce=f"m{number}"))
    assert len(reader._repeats) == 256
    assert reader.repeats_of("n2") == 0


def test_a_notification_that_is_badly_made_is_no_event_of_some_other_kind() -> None:
    broken = alertmanager() | {"alerts": "x"}
    fault = find_fault(broken, Shaping(), STAMPS)
    assert fault == "a notification of Alertmanager (version 4): alerts: a list of alerts (got a text)"
    assert find_fault(broken, Shaping("alertmanager"), STAMPS) == fault
    assert find_fault(broken, Shaping("generic"), STAMPS) == ""
