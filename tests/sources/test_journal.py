"""A journal is followed from cursor to cursor: nothing twice, nothing left out, and what is gone is said to be."""

import asyncio
import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from daemon.config import JournalSource
from daemon.events.vouching import Trust, judge
from daemon.model import Checkpoint, Lines, Position, Transient
from daemon.sources.journal import JournalTail
from daemon.telemetry import Board, HealthState
from tests.doubles.clock import ManualTime
from tests.doubles.journal_writer import SSHD, JournalWriter, failed, write_journal
from tests.doubles.source_sink import SourceSink, running


def entry(number: int) -> dict[str, str | bytes]:
    return {**SSHD, "MESSAGE": failed(number)}


def messages(sink: SourceSink) -> list[str]:
    return [json.loads(line)["MESSAGE"] for line in sink.lines]


def a_tail(where: Path, stored: Sequence[Checkpoint] = (), board: Board | None = None, **options: Any) -> JournalTail:
    place = {"files": (str(where),)} if where.suffix == ".journal" else {"directory": where}
    config = JournalSource(type="journal", **{"start": "beginning", **place, **options})
    time = ManualTime()
    return JournalTail(config, stored, board=board or Board(lambda: 0.0), now=time.now, sleep=time.sleep)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    directory = tmp_path / "journal"
    directory.mkdir()
    return directory


async def test_what_is_there_and_what_comes_is_read_once(journal: Path) -> None:
    with JournalWriter(journal / "system.journal") as writer:
        writer.write(*map(entry, range(3)))
        sink = SourceSink()
        async with running(a_tail(journal), sink):
            await sink.count(3)
            writer.write(*map(entry, range(3, 10)))
            await sink.count(10)
    assert messages(sink) == [failed(number) for number in range(10)]
    assert sink.lost == []


async def test_reading_goes_on_behind_the_stored_cursor(journal: Path) -> None:
    """The worst bug: an entry twice, or one left out, at a restart."""
    write_journal(journal / "system.journal", *map(entry, range(7)))
    first, second = SourceSink(), SourceSink()
    async with running(a_tail(journal / "system.journal"), first):
        await first.count(7)
    write_journal(journal / "system.journal", *map(entry, range(7, 12)), first=7)

    async with running(a_tail(journal / "system.journal", first.checkpoints), second):
        await second.count(5)

    assert messages(second) == [failed(number) for number in range(7, 12)]
    assert second.lost == []
    (stored,) = second.checkpoints
    assert stored.position.offset == 12
    assert "i=c;" in stored.position.identity


async def test_at_the_end_means_what_comes_after_we_were_first_here(journal: Path) -> None:
    """Even if we are killed before anything came: what was written while we were down is read."""
    path = journal / "system.journal"
    write_journal(path, *map(entry, range(3)))
    first, second = SourceSink(), SourceSink()
    async with running(a_tail(path, start="end"), first):
        await first.until(lambda: first.items)
    assert first.lines == []
    write_journal(path, entry(3), first=3)

    async with running(a_tail(path, first.checkpoints, start="end"), second):
        await second.count(1)

    assert messages(second) == [failed(3)]


async def test_an_earlier_boot_is_not_left_out(journal: Path) -> None:
    """A journalctl that follows shows the last boot only, unless told otherwise."""
    path = journal / "system.journal"
    write_journal(path, *map(entry, range(2)))
    write_journal(path, *map(entry, range(2, 5)), first=2, boot="f" * 32)
    sink = SourceSink()
    async with running(a_tail(journal), sink):
        await sink.count(5)
    assert messages(sink) == [failed(number) for number in range(5)]


async def test_rotation_loses_nothing(journal: Path) -> None:
    with JournalWriter(journal / "system.journal") as writer:
        writer.write(*map(entry, range(4)))
        sink = SourceSink()
        async with running(a_tail(journal), sink):
            await sink.count(4)
            (journal / "system.journal").rename(journal / "system@0.journal")
            writer.write(*map(entry, range(4, 6)))
            await sink.count(6)
            write_journal(journal / "next.journal", *map(entry, range(6, 9)), first=6)
            await sink.count(9)
    assert sorted(messages(sink)) == sorted(failed(number) for number in range(9))


async def test_a_journal_vacuumed_meanwhile_is_a_loss_and_reading_goes_on(journal: Path) -> None:
    write_journal(journal / "a.journal", *map(entry, range(5)))
    first, second = SourceSink(), SourceSink()
    async with running(a_tail(journal), first):
        await first.count(5)
    (journal / "a.journal").unlink()
    write_journal(journal / "b.journal", *map(entry, range(20, 23)), first=20)

    async with running(a_tail(journal, first.checkpoints), second):
        await second.count(3)

    assert [(lost.why, lost.count) for lost in second.lost] == [("journal_vacuumed", None)]
    assert messages(second) == [failed(number) for number in range(20, 23)]


async def test_another_choice_of_entries_is_no_loss(journal: Path) -> None:
    path = journal / "a.journal"
    write_journal(path, *map(entry, range(3)))
    first, second = SourceSink(), SourceSink()
    async with running(a_tail(path), first):
        await first.count(3)
    write_journal(path, entry(3), {**entry(4), "_SYSTEMD_UNIT": "other.service"}, first=3)

    async with running(a_tail(path, first.checkpoints, units=("other.service",)), second):
        await second.count(1)

    assert messages(second) == [failed(4)]
    assert second.lost == []


async def test_units_and_matches_choose(journal: Path) -> None:
    write_journal(journal / "a.journal", entry(0), {**entry(1), "_UID": "1000"}, {**entry(2), "_UID": "33"})
    sink = SourceSink()
    async with running(a_tail(journal, matches=("_UID=1000", "_UID=33")), sink):
        await sink.count(2)
    assert messages(sink) == [failed(1), failed(2)]


async def test_a_long_entry_is_left_out_and_told_and_its_surroundings_are_kept(journal: Path) -> None:
    path = journal / "a.journal"
    write_journal(
        path, entry(0), {**SSHD, "MESSAGE": "x" * 300_000}, entry(2), {**SSHD, "MESSAGE": "y" * 9000}, entry(4)
    )
    sink = SourceSink()
    async with running(a_tail(journal, max_line=8192), sink):
        await sink.count(3)
    assert messages(sink) == [failed(0), failed(2), failed(4)]
    assert [(lost.why, lost.count) for lost in sink.lost] == [("line_too_long", 1), ("line_too_long", 1)]
    assert sink.checkpoints[0].position.offset == 5


async def test_a_long_entry_that_was_read_last_is_told_once(journal: Path) -> None:
    path = journal / "a.journal"
    options: dict[str, Any] = {"max_line": 8192, "matches": ("_UID=0",)}
    write_journal(path, entry(0), {**SSHD, "MESSAGE": "x" * 9000})
    first, second = SourceSink(), SourceSink()
    async with running(a_tail(path, **options), first):
        await first.until(lambda: [one.position.offset for one in first.checkpoints] == [2])
    assert [(lost.why, lost.count) for lost in first.lost] == [("line_too_long", 1)]
    write_journal(path, *({**entry(number), "_UID": "7"} for number in range(3)), entry(3), first=2)
    async with running(a_tail(path, first.checkpoints, **options), second):
        await second.count(1)
    assert (messages(second), second.lost) == ([failed(3)], [])


async def test_long_and_binary_messages_come_whole(journal: Path) -> None:
    message = b"Failed password for r\x01\xff" + b"z" * 10_000
    write_journal(journal / "a.journal", {**SSHD, "MESSAGE": message})
    sink = SourceSink()
    async with running(a_tail(journal), sink):
        await sink.count(1)
    assert bytes(json.loads(sink.lines[0])["MESSAGE"]) == message


async def test_a_pipeline_that_takes_nothing_stops_the_reading(journal: Path) -> None:
    write_journal(journal / "a.journal", *[entry(number) | {"MESSAGE": "m" * 2000} for number in range(3000)])
    sink = SourceSink()
    sink.gate.clear()
    async with running(a_tail(journal), sink):
        async with asyncio.timeout(10):
            while not sink.waiting:  # noqa: ASYNC110 - the sink has no event for those whom it keeps waiting
                await asyncio.sleep(0)
        assert sink.items == []
        sink.gate.set()
        await sink.count(3000)


async def test_a_journalctl_that_ends_says_why_and_the_next_run_goes_on(journal: Path) -> None:
    path = journal / "a.journal"
    write_journal(path, *map(entry, range(3)))
    tail, sink = a_tail(path), SourceSink()

    sink.refuse = Transient("the store is away")
    with pytest.raises(Transient, match="the store is away"):
        await tail.run(sink.emit)
    async with running(tail, sink):
        await sink.count(3)

    assert messages(sink) == [failed(number) for number in range(3)]


async def test_a_directory_that_is_not_there_is_told_in_the_words_of_journalctl(tmp_path: Path) -> None:
    write_journal(tmp_path / "a.journal", entry(0))
    with pytest.raises(Transient, match=r"journalctl ended with exit code 1.*No such file"):
        await a_tail(tmp_path / "missing").run(SourceSink().emit)


async def test_without_journalctl_the_board_says_what_mends_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    board, time = Board(lambda: 0.0), ManualTime()
    config = JournalSource(type="journal", directory=tmp_path)
    async with running(JournalTail(config, (), board=board, now=time.now, sleep=time.sleep), SourceSink()):
        await time.asleep()
        row = board.get("source:journal")
    assert row is not None
    assert row.state is HealthState.degraded
    assert "install systemd" in row.detail


async def test_a_journal_that_may_not_be_read_says_which_group_may(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a journalctl that says what Debian's says to a user of no group, and shows nothing."""
    script = tmp_path / "journalctl"
    said = "No journal files were opened due to insufficient permissions."
    script.write_text(f"#!/bin/sh\necho '{said}' >&2\n", encoding="ascii")
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    board, time, sink = Board(lambda: 0.0), ManualTime(), SourceSink()
    config = JournalSource(type="journal")
    async with running(JournalTail(config, (), board=board, now=time.now, sleep=time.sleep), sink):
        await time.asleep()
        row = board.get("source:journal")
    assert row is not None
    assert row.state is HealthState.degraded
    assert "sudo usermod -aG systemd-journal" in row.detail
    assert sink.items == []  # where it ends is not known: nothing is noted that would be wrong later


async def test_the_child_ends_with_its_source(journal: Path) -> None:
    write_journal(journal / "a.journal", entry(0))
    sink = SourceSink()
    async with running(a_tail(journal), sink):
        await sink.count(1)
        children = _journalctls()
        assert children
    assert not children & _journalctls()


def _journalctls() -> set[str]:
    """The processes called journalctl that are children of ours."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = stat.read_text().split(" ", 1)
        except OSError:
            continue
        name, _, after = rest.rpartition(") ")
        if name == "(journalctl" and after.split()[1] == str(os.getpid()):
            found.add(pid)
    return found


async def test_a_cursor_of_another_place_is_not_ours(journal: Path) -> None:
    write_journal(journal / "a.journal", entry(0))
    stored = Checkpoint("journal", Position("journal:/elsewhere", "s=1;i=5", 5), "")
    sink = SourceSink()
    async with running(a_tail(journal, [stored]), sink):
        await sink.count(1)
    assert [item.position.identity for item in sink.items if isinstance(item, Lines)] == [""]


async def test_what_vouches_for_a_sender_is_asked_for(journal: Path) -> None:
    """Where it ran and its label, too: root of a container is not the host's."""
    seen = {
        "_SYSTEMD_CGROUP": "/system.slice/docker-4f0c9d3e2b1a.scope",
        "_SELINUX_CONTEXT": "docker-default (enforce)",
    }
    write_journal(journal / "system.journal", {**SSHD, **seen, "MESSAGE": failed(1)})
    sink = SourceSink()
    async with running(a_tail(journal), sink):
        await sink.count(1)
    fields = json.loads(sink.lines[0])
    assert {key: fields[key] for key in seen} == seen
    assert judge("sshd", fields) is Trust.container


@pytest.mark.parametrize("cursor", ["garbage", "s=00;i=1", "--help"])
@pytest.mark.parametrize(("start", "told"), [("beginning", [1, 2]), ("end", [2])])
async def test_a_stored_cursor_that_is_none_is_a_loss_and_reading_begins_anew(
    journal: Path, cursor: str, start: str, told: list[int]
) -> None:
    """The worst bug: one broken row, and the journal is never read again."""
    write_journal(journal / "system.journal", entry(1))
    broken, sink = Checkpoint("journal", Position(f"journal:{journal}", cursor, 5)), SourceSink()
    async with running(a_tail(journal, [broken], start=start), sink):
        await sink.until(lambda: sink.checkpoints)
        with JournalWriter(journal / "system.journal") as writer:
            writer.write(entry(2))
            await sink.count(len(told))
    assert messages(sink) == [failed(number) for number in told]
    assert [lost.why for lost in sink.lost] == ["journal_vacuumed"]
    assert sink.checkpoints[-1].position.identity.startswith("s=")
