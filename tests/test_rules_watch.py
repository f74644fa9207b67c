"""When changed rule files are taken: what was quiet, whole, and other than what is in force; never twice."""

import asyncio
import os
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from daemon.config import Config, Rules
from daemon.loading import build, digest_of
from daemon.model import Problem, ProblemsError, Transient
from daemon.preflight import read_rules
from daemon.rules_watch import PERIOD, QUIET, RuleFiles, RulesWatch, Settling
from daemon.supervisor import end
from tests.doubles.clock import ManualTime, settle

RULE = """title: {title}
logsource: {{product: linux, category: process_creation}}
detection: {{selection: {{Image|endswith: /sh}}, condition: selection}}
"""


# what stands still


def test_a_state_is_told_once_after_it_stood_still() -> None:
    settling = Settling(1.0)
    told = [(at, settling.feed("a", at)) for at in (0.0, 0.5, 0.99, 1.0, 1.1, 50.0)]
    assert [at for at, yes in told if yes] == [1.0]


def test_every_change_begins_the_wait_anew_and_a_new_state_is_told_too() -> None:
    settling = Settling(1.0)
    seen = [(0.0, "a"), (0.9, "b"), (1.8, "a"), (2.7, "a"), (2.9, "a"), (3.0, "b"), (4.0, "b"), (4.1, "a"), (5.2, "a")]
    assert [at for at, state in seen if settling.feed(state, at)] == [2.9, 4.0, 5.2]


def test_what_rests_is_waited_for_no_longer() -> None:
    settling = Settling(1.0)
    waited = [settling.settled]
    settling.feed("a", 0.0)
    waited.append(settling.settled)
    settling.rest("a")
    assert [*waited, settling.settled] == [True, False, True]
    assert not settling.feed("a", 5.0)
    assert not settling.feed("b", 6.0)
    assert settling.feed("b", 7.0)


# files


class Watched:
    """A process that takes rules, on a clock that the test moves."""

    def __init__(self, top: Path, *, watch: bool = True) -> None:
        self.top = top
        self.clock = ManualTime(now=os.stat(top).st_ctime + 1000)  # noqa: PTH116 - the files' own clock, long after
        self.config = Config(rules=Rules(directories=(str(top),), watch=watch))
        self.config_path = ""
        self.digest = digest_of(read_rules(self.config, None)[0])
        self.taken: list[list[str]] = []
        self.refused: list[tuple[str, ...]] = []
        self.kept = 0

    async def take_rules(self, found: RuleFiles) -> None:
        problems = (*found.problems, *build(found.config, None, found.files).rules.problems)
        if problems:
            self.refused.append(tuple(map(str, problems)))
            raise ProblemsError(problems)
        self.taken.append([Path(path).name for path in found.files])
        self.digest = found.digest

    def keep_rules(self) -> None:
        self.kept += 1

    def write(self, name: str, text: str) -> None:
        (self.top / name).write_text(text)

    async def pass_time(self, seconds: float) -> None:
        """Let the watch look as often as it wants to within so many seconds."""
        until = self.clock.monotonic() + seconds
        while self.clock.monotonic() < until:
            await self.clock.advance(min(0.25, until - self.clock.monotonic()))
            for _ in range(2):  # there is one thread: what it was asked before this is done after it
                await asyncio.to_thread(int)
                await settle()


@pytest.fixture(autouse=True)
async def _one_thread() -> None:
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(1))


@pytest.fixture
async def watched(tmp_path: Path) -> AsyncIterator[Watched]:
    (tmp_path / "a.yml").write_text(RULE.format(title="A"))
    process = Watched(tmp_path)
    watch = RulesWatch(process, now=process.clock.now, monotonic=process.clock.monotonic, sleep=process.clock.sleep)
    running = asyncio.create_task(watch.run())  # noqa: TID251 - ended with the test
    await process.pass_time(0.25)
    yield process
    await end([running])


async def test_nothing_is_taken_while_nothing_changes(watched: Watched) -> None:
    await watched.pass_time(4 * PERIOD)
    os.utime(watched.top / "a.yml")
    watched.write("notes.txt", "x")
    watched.write("a.samples.yml", "hit: []")
    await watched.pass_time(4 * PERIOD)
    assert (watched.taken, watched.refused) == ([], [])
    assert watched.kept


async def test_a_new_file_is_taken_within_seconds_and_once(watched: Watched) -> None:
    watched.write("b.yml", RULE.format(title="B"))
    await watched.pass_time(PERIOD + QUIET + 0.5)
    assert watched.taken == [["a.yml", "b.yml"]]
    await watched.pass_time(4 * PERIOD)
    assert len(watched.taken) == 1


async def test_a_file_that_goes_is_noticed_too(watched: Watched) -> None:
    watched.write("b.yml", RULE.format(title="B"))
    await watched.pass_time(PERIOD + QUIET + 0.5)
    (watched.top / "b.yml").unlink()
    await watched.pass_time(PERIOD + QUIET + 0.5)
    assert watched.taken == [["a.yml", "b.yml"], ["a.yml"]]


async def test_a_file_that_is_being_written_is_waited_for(watched: Watched) -> None:
    """An editor that writes a line every half second: what stands there meanwhile is no rule, or another one."""
    text = ""
    for line in RULE.format(title="B").splitlines(keepends=True) + ["level: high\n", "status: test\n"] * 3:
        text += line
        watched.write("b.yml", text)
        await watched.pass_time(QUIET / 2)
        assert (watched.taken, watched.refused) == ([], [])
    watched.write("b.yml", RULE.format(title="B"))
    await watched.pass_time(PERIOD + QUIET + 0.5)
    assert (watched.taken, watched.refused) == ([["a.yml", "b.yml"]], [])


async def test_a_broken_file_is_refused_once_and_the_next_good_version_is_taken(watched: Watched) -> None:
    watched.write("a.yml", "title: [")
    await watched.pass_time(10 * PERIOD)
    assert len(watched.refused) == 1
    assert "a.yml:1: (yaml): expected valid YAML" in watched.refused[0][0]
    watched.write("a.yml", "title: [[")
    await watched.pass_time(10 * PERIOD)
    assert len(watched.refused) == 2
    watched.write("a.yml", RULE.format(title="C"))
    await watched.pass_time(PERIOD + QUIET + 0.5)
    assert (watched.taken, len(watched.refused)) == ([["a.yml"]], 2)


async def test_a_broken_file_that_is_undone_keeps_what_is_in_force(watched: Watched) -> None:
    watched.write("a.yml", "title: [")
    await watched.pass_time(PERIOD + QUIET + 0.5)
    kept = watched.kept
    watched.write("a.yml", RULE.format(title="A"))
    await watched.pass_time(PERIOD + QUIET + 0.5)
    assert watched.kept > kept
    assert watched.taken == []


async def test_a_directory_that_is_gone_is_a_problem_and_not_an_empty_set_of_rules(watched: Watched) -> None:
    aside = watched.top.with_name("aside")
    watched.top.rename(aside)
    await watched.pass_time(4 * PERIOD)
    assert watched.taken == []
    assert len(watched.refused) == 1
    assert "expected a directory of rules" in watched.refused[0][0]
    aside.rename(watched.top)
    watched.write("b.yml", RULE.format(title="B"))
    await watched.pass_time(PERIOD + QUIET + 0.5)
    assert watched.taken == [["a.yml", "b.yml"]]


async def test_the_same_size_at_the_same_time_is_seen_all_the_same(watched: Watched) -> None:
    """As when a file is written twice within one tick of the file system's clock."""
    watched.clock.jump(-2000)  # so that the files are as new as they can be
    before = os.stat(watched.top / "a.yml")  # noqa: PTH116 - beside os.utime
    watched.write("a.yml", RULE.format(title="X"))
    os.utime(watched.top / "a.yml", ns=(before.st_atime_ns, before.st_mtime_ns))
    await watched.pass_time(PERIOD + QUIET + 0.5)
    assert watched.taken == [["a.yml"]]


async def test_nothing_is_read_while_it_is_off_and_it_may_be_switched_on(tmp_path: Path) -> None:
    process = Watched(tmp_path, watch=False)
    watch = RulesWatch(process, now=process.clock.now, monotonic=process.clock.monotonic, sleep=process.clock.sleep)
    running = asyncio.create_task(watch.run())  # noqa: TID251 - ended with the test
    process.write("a.yml", RULE.format(title="A"))
    await process.pass_time(4 * PERIOD)
    assert (process.taken, process.kept) == ([], 0)
    process.config = Config(rules=Rules(directories=(str(tmp_path),), watch=True))
    await process.pass_time(PERIOD + QUIET + 0.5)
    assert process.taken == [["a.yml"]]
    await end([running])


async def test_a_process_that_ends_is_no_failure(watched: Watched) -> None:
    async def ending(found: RuleFiles) -> None:
        watched.taken.append(list(found.files))
        raise Transient("about to end")

    watched.take_rules = ending  # type: ignore[method-assign]  # this one time it ends
    watched.write("b.yml", RULE.format(title="B"))
    await watched.pass_time(4 * PERIOD)
    assert len(watched.taken) == 1


def test_a_problem_with_a_place_is_carried_along() -> None:
    problem = Problem("c.yaml", 3, "rules.directories.0", "expected a directory of rules or a rule file at /x")
    assert RuleFiles(Config(), {}, (problem,), "").problems[0].line == 3
