"""Every alert reaches every receiver that takes it, at least once; nobody waits for anybody else; time may jump."""

import asyncio
import contextlib
from collections import deque
from collections.abc import AsyncIterator, Callable
from itertools import pairwise
from typing import Any

import msgspec
import pytest
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st

from daemon.backoff import DELIVERY_SCHEDULE
from daemon.config import Webhook
from daemon.delivery import FORBIDDEN
from daemon.delivery.dispatcher import LONGEST_WAIT, Dispatcher
from daemon.delivery.outage import NEW_PAUSE
from daemon.delivery.webhook import WebhookSink
from daemon.model import Delivery, DeliveryState, Refused, Severity, Transient
from daemon.telemetry import Board, HealthState, Metrics, Says
from tests.doubles.alerts import make_alert
from tests.doubles.clock import ManualTime, settle
from tests.doubles.outbox import MemoryOutbox
from tests.doubles.receiver import Receiver, Reply

DAY = 86400.0


class ScriptedSink:
    """Raises or returns by a script, then accepts; `hang` stands for a receiver that never answers."""

    hang = object()

    def __init__(self, time: ManualTime, *script: object) -> None:
        self._time = time
        self.script = deque(script)
        self.name = "scripted"
        self.attempts: list[tuple[float, Delivery]] = []
        self.cut = 0

    async def send(self, delivery: Delivery, now: float) -> None:
        """One attempt."""
        self.attempts.append((self._time.monotonic(), delivery))
        step = self.script.popleft() if self.script else None
        if isinstance(step, BaseException):
            raise step
        if step is self.hang:
            try:
                await asyncio.Event().wait()
            finally:
                self.cut += 1

    @property
    def waits(self) -> list[float]:
        """Seconds between attempts."""
        at = [moment for moment, _ in self.attempts]
        return [later - earlier for earlier, later in pairwise(at)]


class House:
    """A dispatcher with all around it."""

    def __init__(self, *, jitter: float = 1.0, expire_after: float = 3 * DAY, **scripts: tuple[object, ...]) -> None:
        self.time = ManualTime()
        self.board = Board(self.time.now)
        self.metrics = Metrics()
        self.outbox = MemoryOutbox()
        self.sinks = {name: ScriptedSink(self.time, *script) for name, script in scripts.items()}
        self._jitter, self._expire_after = jitter, expire_after
        self.dispatcher = self.build()

    def build(self) -> Dispatcher:
        webhooks = [
            Webhook(name=name, url="https://hooks.example/", expire_after=self._expire_after) for name in self.sinks
        ]
        return Dispatcher(
            self.outbox, self.sinks, webhooks=webhooks, board=self.board, metrics=self.metrics,
            now=self.time.now, sleep=self.time.sleep, jitter=lambda: self._jitter,
        )  # fmt: skip

    def owe(self, webhook: str = "ops", *, due_in: float = 0.0, **changes: Any) -> int:
        """Store an alert and ring, as the pipeline does."""
        alert = make_alert(id=f"al-{len(self.outbox.rows)}", **changes)
        now = self.time.now()
        row = self.outbox.owe(alert, webhook, at=now, due_at=now + due_in)
        self.dispatcher.nudge()
        return row.id

    @contextlib.asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Run until the block ends; an error of the dispatcher is an error of the test."""
        async with asyncio.TaskGroup() as group:
            task = group.create_task(self.dispatcher.run())
            await settle()
            yield
            await settle()
            task.cancel()

    def state(self, number: int) -> DeliveryState:
        return self.outbox.state(number)

    def count(self, outcome: str, webhook: str = "ops") -> float:
        return float(self.metrics.deliveries.labels(webhook, outcome)._value.get())

    def health(self, webhook: str = "ops") -> tuple[HealthState, str]:
        row = self.board.get(f"webhook:{webhook}")
        assert row is not None
        return row.state, row.detail


def down(times: int = 1, *, retry_after: float | None = None) -> tuple[Transient, ...]:
    return tuple(Transient("hooks.example answered 503", retry_after=retry_after) for _ in range(times))


async def test_what_is_owed_is_sent_once_and_shown() -> None:
    house = House(ops=())
    async with house.open():
        assert house.health() == (HealthState.ok, "")
        number = house.owe()
        await settle()
        assert house.outbox.steps == [("begin", number), ("sent", number)]
        assert house.count("sent") == 1
        await house.time.advance(DAY)
    assert len(house.sinks["ops"].attempts) == 1


async def test_the_attempt_is_counted_before_it_is_made() -> None:
    house = House(ops=(ScriptedSink.hang,))
    async with house.open():
        number = house.owe()
        await settle()
        assert house.outbox.rows[number].attempts == 1
        assert len(house.sinks["ops"].attempts) == 1
    assert house.sinks["ops"].cut == 1
    assert house.state(number) is DeliveryState.due
    assert house.outbox.steps == [("begin", number)]


async def test_a_stopped_dispatcher_leaves_no_task_and_the_next_one_delivers() -> None:
    house = House(ops=(ScriptedSink.hang,), slow=())
    async with house.open():
        number = house.owe()
        await settle()
    assert asyncio.all_tasks() == {asyncio.current_task()}
    house.dispatcher = house.build()
    async with house.open():
        await settle()
        assert house.state(number) is DeliveryState.sent
    assert house.outbox.rows[number].attempts == 2


async def test_failures_follow_the_schedule_and_the_last_step_repeats() -> None:
    house = House(ops=down(14))
    async with house.open():
        number = house.owe()
        await house.time.advance(6 * 3600)
        assert house.state(number) is DeliveryState.sent
    assert house.sinks["ops"].waits == pytest.approx([*DELIVERY_SCHEDULE, 3600, 3600, 3600, 3600])
    assert house.count("again") == 14
    assert house.outbox.rows[number].attempts == 15


async def test_jitter_shortens_by_at_most_a_half() -> None:
    house = House(jitter=0.0, ops=down(3))
    async with house.open():
        house.owe()
        await house.time.advance(60)
    assert house.sinks["ops"].waits == pytest.approx([1.0, 2.5, 7.5])


@pytest.mark.parametrize(("asked", "waited"), [(7.0, 7.0), (600.0, 600.0), (1e9, 3600.0), (-5.0, 0.1)])
async def test_the_receivers_own_wait_is_kept_within_an_hour(asked: float, waited: float) -> None:
    house = House(ops=down(1, retry_after=asked))
    async with house.open():
        house.owe()
        await house.time.advance(2 * 3600)
    assert house.sinks["ops"].waits == pytest.approx([waited])


async def test_a_receiver_that_hangs_delays_only_itself() -> None:
    house = House(ops=(ScriptedSink.hang,), other=(), third=down(3))
    async with house.open():
        numbers = [house.owe(name) for name in ("ops", "other", "third") for _ in range(2)]
        await settle()
        assert [house.state(n) for n in numbers[2:4]] == [DeliveryState.sent] * 2
        await house.time.advance(30)
        assert [house.state(n) for n in numbers[4:]] == [DeliveryState.sent] * 2
        assert [house.state(n) for n in numbers[:2]] == [DeliveryState.due] * 2
    assert len(house.sinks["ops"].attempts) == 1


async def test_a_receiver_that_is_down_gets_one_request_for_each_step_and_not_its_backlog() -> None:
    house = House(ops=down(99))
    for _ in range(30):
        house.owe()
    async with house.open():
        await house.time.advance(3000)
    assert house.sinks["ops"].waits == pytest.approx(DELIVERY_SCHEDULE[:9], abs=0.01)
    assert sum(row.attempts for row in house.outbox.rows.values()) == 10


async def test_a_wait_that_the_receiver_names_holds_for_all_it_is_owed() -> None:
    house = House(ops=down(1, retry_after=120.0))
    numbers = [house.owe() for _ in range(30)]
    async with house.open():
        await house.time.advance(100)
        numbers.append(house.owe(severity=Severity.critical))
        await house.time.advance(19.9)
        assert len(house.sinks["ops"].attempts) == 1
        await house.time.advance(0.2)
        assert {house.state(number) for number in numbers} == {DeliveryState.sent}
    assert [row.attempts for row in house.outbox.rows.values()].count(1) == 30


async def test_a_receiver_that_is_back_gets_its_backlog_at_once_the_most_severe_first() -> None:
    house = House(ops=down(8))
    for severity in (Severity.low, Severity.critical, Severity.high, Severity.medium) * 5:
        house.owe(severity=severity)
    async with house.open():
        await house.time.advance(1200)
        tried = len(house.sinks["ops"].attempts)
        assert tried == 9 + 19  # one every step of the schedule, then all
        assert {row.state for row in house.outbox.rows.values()} == {DeliveryState.sent}
    drained = [delivery.alert.severity for _, delivery in house.sinks["ops"].attempts[9:]]
    assert drained == sorted(drained, reverse=True)
    assert {moment for moment, _ in house.sinks["ops"].attempts[8:]} == {house.sinks["ops"].attempts[8][0]}


async def test_what_was_put_off_for_an_hour_goes_as_soon_as_something_new_finds_the_receiver_back() -> None:
    house = House(ops=down(10))
    async with house.open():
        old = house.owe()
        await house.time.advance(6000)
        assert len(house.sinks["ops"].attempts) == 10
        new = house.owe()
        await settle()
        assert (house.state(old), house.state(new)) == (DeliveryState.sent, DeliveryState.sent)


async def test_a_new_critical_alert_asks_again_within_a_second_and_not_more_often() -> None:
    house = House(ops=down(200))
    for _ in range(5):
        house.owe(severity=Severity.critical)
    async with house.open():
        await house.time.advance(600)
        before = len(house.sinks["ops"].attempts)
        for _ in range(100):
            house.owe(severity=Severity.critical)
            await house.time.advance(0.1)
        assert len(house.sinks["ops"].attempts) - before <= 11
        assert min(house.sinks["ops"].waits[before - 1 :]) >= 1.0
        assert max(house.sinks["ops"].waits[before:]) < 1.2


async def test_another_new_alert_asks_again_within_a_minute() -> None:
    house = House(ops=down(200))
    house.owe(severity=Severity.critical)
    async with house.open():
        await house.time.advance(2000)
        before = len(house.sinks["ops"].attempts)
        for _ in range(50):
            house.owe()
            await house.time.advance(6)
        assert 5 <= len(house.sinks["ops"].attempts) - before <= 6


async def test_a_held_back_critical_alert_that_becomes_due_in_an_outage_is_not_overlooked() -> None:
    house = House(ops=down(9))
    for _ in range(5):
        house.owe()
    async with house.open():
        await house.time.advance(1200)
        assert len(house.sinks["ops"].attempts) == 9
        house.owe(severity=Severity.critical, due_in=3.0)
        await house.time.advance(3.05)
        assert {row.state for row in house.outbox.rows.values()} == {DeliveryState.sent}


async def test_a_worker_that_waits_for_its_receiver_does_not_spin() -> None:
    house = House(ops=down(200))
    for _ in range(30):
        house.owe()
    async with house.open():
        await house.time.advance(1200)
        before = len(house.time.slept)
        await house.time.advance(1200)
        assert len(house.time.slept) - before < 60


class Choosy(ScriptedSink):
    """A receiver that falls over some alerts, and takes all others."""

    def __init__(self, time: ManualTime, *poison: int) -> None:
        super().__init__(time)
        self._poison = poison

    async def send(self, delivery: Delivery, now: float) -> None:
        self.attempts.append((self._time.monotonic(), delivery))
        if delivery.id in self._poison:
            raise Transient("hooks.example answered 500")


@pytest.mark.parametrize("poisoned", [1, 2, 3, 5])
async def test_alerts_that_a_receiver_falls_over_do_not_bar_all_others(poisoned: int) -> None:
    house = House(ops=())
    sink = Choosy(house.time, *range(1, poisoned + 1))
    house.sinks["ops"] = sink
    house.dispatcher = house.build()
    for _ in range(poisoned):
        house.owe(severity=Severity.critical)
    fine = [house.owe(severity=Severity.low) for _ in range(5)]
    async with house.open():
        await house.time.advance(sum(DELIVERY_SCHEDULE[: poisoned + 3]))
        assert {house.state(number) for number in fine} == {DeliveryState.sent}
        await house.time.advance(DAY)
        late = house.owe(severity=Severity.low)
        await house.time.advance(NEW_PAUSE)
        assert house.state(late) is DeliveryState.sent
    for number in range(1, poisoned + 1):
        assert 5 < len([row for _, row in sink.attempts if row.id == number]) < 60


async def test_what_is_sent_is_what_the_store_held_when_the_attempt_was_counted() -> None:
    house = House(ops=())
    begin = house.outbox.begin

    async def revised_before(delivery_id: int, now: float) -> Delivery:
        row = house.outbox.rows[delivery_id]
        richer = make_alert(id=row.alert.id, because="known since the delivery was chosen")
        house.outbox.rows[delivery_id] = msgspec.structs.replace(row, alert=richer)
        return await begin(delivery_id, now)

    house.outbox.begin = revised_before  # type: ignore[method-assign]
    async with house.open():
        house.owe()
        await settle()
    ((_, sent),) = house.sinks["ops"].attempts
    assert (sent.alert.because, sent.attempts) == ("known since the delivery was chosen", 1)


async def test_the_most_severe_goes_first() -> None:
    house = House(ops=())
    low, critical = house.owe(severity=Severity.low), house.owe(severity=Severity.critical)
    async with house.open():
        await settle()
    assert [step for step in house.outbox.steps if step[0] == "sent"] == [("sent", critical), ("sent", low)]


async def test_what_is_due_later_leaves_on_time_without_a_nudge() -> None:
    house = House(ops=())
    async with house.open():
        number = house.owe(due_in=3.0)
        await house.time.advance(2.9)
        assert house.state(number) is DeliveryState.due
        await house.time.advance(0.2)
        assert house.state(number) is DeliveryState.sent


async def test_an_idle_dispatcher_does_not_spin() -> None:
    house = House(ops=())
    async with house.open():
        await house.time.advance(3600)
    assert 100 < len(house.time.slept) < 130


async def test_a_nudge_during_a_send_or_a_look_is_not_lost() -> None:
    house = House(ops=())
    looked = house.outbox.due

    async def looking(webhook: str, now: float) -> Delivery | None:
        found = await looked(webhook, now)
        if not house.outbox.rows:
            house.owe()  # stored after the look, before the wait
        return found

    house.outbox.due = looking  # type: ignore[method-assign]
    async with house.open():
        await settle()
        assert house.state(1) is DeliveryState.sent


async def test_a_refusal_is_believed_the_third_time_and_is_shown_until_the_next_success() -> None:
    house = House(ops=(Refused("hooks.example answered 422"),) * 3)
    async with house.open():
        number = house.owe()
        await house.time.advance(6.9)
        assert house.state(number) is DeliveryState.due
        assert house.health() == (HealthState.degraded, "hooks.example answered 422")
        await house.time.advance(DAY)
        assert house.state(number) is DeliveryState.dead
        assert house.outbox.rows[number].detail == "hooks.example answered 422"
        assert house.health() == (HealthState.degraded, "hooks.example answered 422")
        assert (house.count("again"), house.count("refused")) == (2, 1)
        house.owe()
        await settle()
        assert house.health() == (HealthState.ok, "")
    assert house.sinks["ops"].waits[:2] == pytest.approx([2, 5])
    assert len(house.sinks["ops"].attempts) == 4


async def test_a_refusal_costs_the_others_nothing_and_outages_before_it_do_not_count_for_it() -> None:
    refused = Refused("hooks.example answered 400")
    house = House(ops=(*down(5), refused, None, refused))
    async with house.open():
        first = house.owe()
        await house.time.advance(120)
        second = house.owe()
        await settle()
        assert (house.state(first), house.state(second)) == (DeliveryState.due, DeliveryState.sent)
        await house.time.advance(2 * 3600)
        assert house.state(first) is DeliveryState.sent


async def test_a_url_that_is_forbidden_is_refused_at_once() -> None:
    house = House(ops=(Refused("http://127.0.0.1 is not allowed", why=FORBIDDEN),))
    async with house.open():
        number = house.owe()
        await settle()
        assert house.state(number) is DeliveryState.dead


async def test_gone_buries_at_once_what_waits_for_the_receiver() -> None:
    house = House(ops=(*down(5), Refused("hooks.example answered 410", gone=True)))
    numbers = [house.owe() for _ in range(20)]
    async with house.open():
        await house.time.advance(113)
        assert {house.state(number) for number in numbers} == {DeliveryState.dead}
        assert house.health()[1].startswith("disabled by its receiver")


async def test_gone_disables_the_webhook_and_buries_what_it_is_owed() -> None:
    house = House(ops=(Refused("hooks.example answered 410", gone=True),), other=())
    async with house.open():
        numbers = [house.owe(), house.owe(), house.owe("other")]
        await settle()
        numbers.append(house.owe())
        await house.time.advance(60)
        states = [house.state(number) for number in numbers]
        assert states == [DeliveryState.dead, DeliveryState.dead, DeliveryState.sent, DeliveryState.dead]
        state, detail = house.health()
        assert state is HealthState.degraded
        assert "disabled by its receiver (hooks.example answered 410)" in detail
        assert "disabled" in house.outbox.rows[numbers[3]].detail
        assert (house.count("gone"), house.count("disabled")) == (1, 2)
    assert len(house.sinks["ops"].attempts) == 1


async def test_what_nobody_accepts_expires() -> None:
    house = House(expire_after=3600.0, ops=down(100))
    async with house.open():
        with structlog.testing.capture_logs() as logs:
            number = house.owe()
            await house.time.advance(3 * 3600)
        assert house.state(number) is DeliveryState.dead
        assert house.outbox.rows[number].detail == "not accepted within 3600 s: hooks.example answered 503"
        assert house.count("expired") == 1
        assert [entry["log_level"] for entry in logs if entry["event"] == Says.delivery_expired] == ["error"]
    assert house.sinks["ops"].attempts[-1][0] - 1000 == pytest.approx(sum(DELIVERY_SCHEDULE))


async def test_no_alert_expires_by_the_failures_of_others() -> None:
    """Twenty alerts wait for a receiver that is down for longer than they may wait: each gets its own last attempts."""
    house = House(expire_after=3600.0, ops=down(10**6))
    numbers = [house.owe() for _ in range(20)]
    async with house.open():
        await house.time.advance(3500)
        assert {house.state(number) for number in numbers} == {DeliveryState.due}
        assert len(house.sinks["ops"].attempts) == 10
        await house.time.advance(700)
        assert {house.state(number) for number in numbers} == {DeliveryState.dead}
    attempts = house.sinks["ops"].attempts
    for number in numbers:
        own = [moment for moment, row in attempts if row.id == number]
        assert len(own) >= 3
        assert own[-1] > 1000 + 3600
    assert min(house.sinks["ops"].waits[9:]) >= 10.0


async def test_what_waited_for_days_survives_a_hiccup() -> None:
    house = House(expire_after=3600.0, ops=down(2))
    number = house.owe()
    house.time.jump(30 * DAY)
    async with house.open():
        await house.time.advance(60)
        assert house.state(number) is DeliveryState.sent


async def test_what_nobody_ever_tried_is_tried_once_however_late() -> None:
    house = House(expire_after=3600.0, ops=())
    number = house.owe()
    house.time.jump(30 * DAY)
    async with house.open():
        assert house.state(number) is DeliveryState.sent


async def test_a_bug_in_a_sink_costs_ten_attempts_and_one_delivery() -> None:
    house = House(ops=tuple(KeyError("https://hooks.example/SECRET") for _ in range(10)), other=())
    async with house.open():
        with structlog.testing.capture_logs() as logs:
            number, fine = house.owe(), house.owe("other")
            await house.time.advance(3 * 3600)
        assert house.state(number) is DeliveryState.dead
        assert house.state(fine) is DeliveryState.sent
        assert house.outbox.rows[number].detail.startswith("unexpected KeyError at test_dispatcher.py:")
        assert "SECRET" not in repr(logs) + house.outbox.rows[number].detail + house.health()[1]
        assert house.owe() == 3
        await settle()
        assert house.state(3) is DeliveryState.sent
    assert len([row for row in house.sinks["ops"].attempts if row[1].id == number]) == 10


async def test_outages_do_not_count_as_bugs() -> None:
    house = House(ops=(*down(12), RuntimeError("once"), *down(3)))
    async with house.open():
        number = house.owe()
        await house.time.advance(DAY)
        assert house.state(number) is DeliveryState.sent


async def test_the_count_of_bugs_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.delivery.tally.MAX_COUNTED", 8)
    house = House(ops=tuple(RuntimeError("bug") for _ in range(40)))
    async with house.open():
        for _ in range(20):
            house.owe()
        await settle()
        assert len(house.dispatcher._workers[0]._unexpected) == 8
        await house.time.advance(3600)
        assert {row.state for row in house.outbox.rows.values()} == {DeliveryState.sent}
        assert len(house.dispatcher._workers[0]._unexpected) == 0


async def test_an_alert_that_ends_the_process_each_time_ends_as_dead() -> None:
    house = House(ops=(ScriptedSink.hang,) * 30)
    number = house.owe()
    for _ in range(25):
        house.dispatcher = house.build()
        async with house.open():
            await settle()
    assert house.state(number) is DeliveryState.dead
    assert house.outbox.rows[number].detail == "20 attempts were begun and none came to an end"
    assert len(house.sinks["ops"].attempts) == 20


async def test_a_busy_store_neither_loses_nor_repeats_an_alert() -> None:
    house = House(ops=())
    house.outbox.failures.extend([Transient("busy"), Transient("busy")])
    async with house.open():
        number = house.owe()
        await house.time.advance(5)
        house.outbox.failures.append(Transient("disk full"))
        second = house.owe()
        await house.time.advance(5)
        assert (house.state(number), house.state(second)) == (DeliveryState.sent, DeliveryState.sent)
    assert len(house.sinks["ops"].attempts) == 2


async def test_a_store_that_fills_up_between_the_sending_and_the_note_does_not_repeat_the_alert() -> None:
    house = House(ops=())
    sink = house.sinks["ops"]
    sent = sink.send

    async def sending(delivery: Delivery, now: float) -> None:
        await sent(delivery, now)
        house.outbox.failures.extend([Transient("disk full")] * 5)

    sink.send = sending  # type: ignore[method-assign]
    async with house.open():
        number = house.owe()
        await house.time.advance(30)
        assert house.state(number) is DeliveryState.sent
    assert len(sink.attempts) == 1


async def test_any_other_error_of_the_store_escapes_to_the_supervisor() -> None:
    house = House(ops=())
    house.outbox.failures.append(OSError("I/O error"))
    house.owe()
    with pytest.raises(ExceptionGroup) as escaped:
        await house.dispatcher.run()
    assert escaped.group_contains(OSError, match="I/O error")


@pytest.mark.parametrize("jump", [-DAY, -365 * DAY, -30.0, 5.0])
async def test_a_clock_that_jumps_during_a_wait_does_not_hold_up_the_next_attempt(jump: float) -> None:
    house = House(ops=down(5))
    async with house.open():
        number = house.owe()
        await settle()
        house.time.jump(jump)
        await house.time.advance(120)
        assert house.state(number) is DeliveryState.sent
        fresh = house.owe()
        await settle()
        assert house.state(fresh) is DeliveryState.sent
    assert sum(house.sinks["ops"].waits[:5]) <= sum(DELIVERY_SCHEDULE[:5]) + 1


async def test_a_clock_set_back_while_we_were_off_does_not_hold_up_what_is_owed() -> None:
    house = House(ops=())
    number = house.owe(due_in=60.0)
    house.time.jump(-365 * DAY)
    house.dispatcher = house.build()
    async with house.open():
        await house.time.advance(1)
        assert house.state(number) is DeliveryState.sent


async def test_a_clock_that_runs_ahead_and_is_corrected_neither_hammers_nor_stalls() -> None:
    house = House(ops=down(6))
    async with house.open():
        house.time.jump(400 * DAY)
        number = house.owe()
        await settle()
        house.time.jump(-400 * DAY)
        await house.time.advance(300)
        assert house.state(number) is DeliveryState.sent
    assert house.sinks["ops"].waits == pytest.approx(DELIVERY_SCHEDULE[:6], abs=0.2)


async def test_no_wait_is_longer_than_half_a_minute() -> None:
    house = House(ops=down(9))
    async with house.open():
        house.owe()
        await house.time.advance(3600)
    assert max(house.time.slept) <= LONGEST_WAIT


async def test_versions_of_one_alert_arrive_in_order() -> None:
    house = House(ops=down(2))
    house.owe()
    house.outbox.owe(make_alert(id="al-0", version=2), "ops", at=house.time.now())
    async with house.open():
        await house.time.advance(30)
    versions = [delivery.alert.version for _, delivery in house.sinks["ops"].attempts]
    assert versions == [1, 1, 1, 2]


async def test_metrics_tell_what_is_owed_and_how_fast_the_first_version_went() -> None:
    house = House(ops=down(1))
    histogram = house.metrics.line_to_webhook
    async with house.open():
        house.owe(version=1)
        house.owe(version=2)
        await settle()
        assert house.metrics.outbox_depth._value.get() == 2
        await house.time.advance(1.5)
        house.dispatcher.nudge()
        await settle()
        assert house.metrics.outbox_oldest._value.get() == pytest.approx(1.5)
        await house.time.advance(1)
        assert house.metrics.outbox_depth._value.get() == 0
        assert house.metrics.outbox_oldest._value.get() == 0
    assert histogram._sum.get() == pytest.approx(2.0)
    assert sum(bucket.get() for bucket in histogram._buckets) == 1


async def test_a_repeated_failure_is_logged_when_it_changes() -> None:
    house = House(ops=(*down(4), Transient("hooks.example: no answer in time"), *down(1)))
    async with house.open():
        with structlog.testing.capture_logs() as logs:
            house.owe()
            await house.time.advance(3600)
    said = [(entry["event"], entry.get("detail")) for entry in logs]
    assert said == [
        (Says.delivery_failed, "hooks.example answered 503"),
        (Says.delivery_failed, "hooks.example: no answer in time"),
        (Says.delivery_failed, "hooks.example answered 503"),
        (Says.delivered, None),
    ]


async def test_a_webhook_without_a_sink_keeps_what_it_is_owed() -> None:
    house = House(ops=())
    del house.sinks["ops"]
    webhook = Webhook(name="ops", url="https://hooks.example/")
    house.dispatcher = Dispatcher(
        house.outbox, {}, webhooks=[webhook], board=house.board, metrics=house.metrics,
        now=house.time.now, sleep=house.time.sleep, jitter=lambda: 0.0,
    )  # fmt: skip
    async with house.open():
        number = house.owe()
        await house.time.advance(DAY)
    assert house.state(number) is DeliveryState.due


OUTCOMES: dict[str, Callable[[], object]] = {
    "accept": lambda: None,
    "down": lambda: Transient("down"),
    "wait": lambda: Transient("down", retry_after=3.0),
    "refuse": lambda: Refused("no"),
    "bug": lambda: ValueError("bug"),
}


@settings(max_examples=20, deadline=None)
@given(
    script=st.lists(st.sampled_from(sorted(OUTCOMES)), max_size=25),
    jumps=st.lists(st.floats(-2 * DAY, 2 * DAY), max_size=4),
    owed=st.integers(1, 6),
)
def test_whatever_happens_every_alert_ends_and_attempts_are_counted(
    script: list[str], jumps: list[float], owed: int
) -> None:
    async def story() -> None:
        house = House(expire_after=100 * DAY, ops=tuple(OUTCOMES[name]() for name in script))
        async with house.open():
            numbers = [house.owe() for _ in range(owed)]
            for jump in jumps:
                house.time.jump(jump)
                await house.time.advance(20)
            await house.time.advance(8 * 3600)
            states = [house.state(number) for number in numbers]
            assert DeliveryState.due not in states
            assert states.count(DeliveryState.dead) <= script.count("refuse") // 3 + script.count("bug") // 10
        attempts = house.sinks["ops"].attempts
        assert sum(row.attempts for row in house.outbox.rows.values()) == len(attempts)
        for number in numbers:
            own = [row for _, row in attempts if row.id == number]
            assert [row.attempts for row in own] == list(range(1, len(own) + 1))

    asyncio.run(story())


async def test_with_a_real_receiver_three_times_down_then_up() -> None:
    """D01: four attempts, one id, new timestamps, one acceptance."""
    time = ManualTime()
    outbox, metrics = MemoryOutbox(), Metrics()
    outbox.owe(make_alert(), "ops", at=time.now())
    async with Receiver(Reply(503), Reply(429, headers={"retry-after": "7"}), Reply(500), Reply(200)) as receiver:
        webhook = Webhook(name="ops", url=receiver.url, allow_private=("127.0.0.1",))
        sink = WebhookSink(webhook, url=receiver.url)
        dispatcher = Dispatcher(
            outbox, {"ops": sink}, webhooks=[webhook], board=Board(time.now), metrics=metrics,
            now=time.now, sleep=time.sleep, jitter=lambda: 1.0,
        )  # fmt: skip
        async with asyncio.TaskGroup() as group:
            task = group.create_task(dispatcher.run())
            for wait in (2.0, 7.0, 15.0):
                await time.asleep()
                await time.advance(wait)
            await receiver.arrived(4)
            await time.asleep()
            task.cancel()
        await sink.close()
        stamps = [int(request.headers["webhook-timestamp"]) for request in receiver.received]
    assert outbox.state(1) is DeliveryState.sent
    assert [later - stamps[0] for later in stamps] == [0, 2, 9, 24]
    assert {request.headers["webhook-id"] for request in receiver.received} == {"al-7f3a-v1"}
