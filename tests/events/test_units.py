"""What systemd says of units."""

from typing import Any

import pytest

from daemon.events.units import parse_unit


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            "nginx.service: Main process exited, code=exited, status=1/FAILURE",
            {
                "action": "unit_exited", "result": "failure", "unit": "nginx.service", "code": "exited", "status": "1",
                "status_name": "FAILURE",
            },
        ),
        (
            "nginx.service: Main process exited, code=killed, status=9/KILL",
            {"action": "unit_exited", "result": "failure", "code": "killed", "status": "9"},
        ),
        (
            "nginx.service: Failed with result 'exit-code'.",
            {"action": "unit_failed", "result": "failure", "unit": "nginx.service", "reason": "exit-code"},
        ),
        (
            "nginx.service: Scheduled restart job, restart counter is at 5.",
            {"action": "unit_restart", "unit": "nginx.service", "restarts": "5"},
        ),
        ("nginx.service: Start request repeated too quickly.", {"action": "unit_start_limit", "result": "failure"}),
        (
            "nginx.service: A process of this unit has been killed by the OOM killer.",
            {"action": "unit_oom", "result": "failure"},
        ),
        ("nginx.service: Deactivated successfully.", {"action": "unit_deactivated", "unit": "nginx.service"}),
        ("nginx.service: State 'stop-sigterm' timed out. Killing.", {"action": "unit_timeout", "result": "failure"}),
        (
            "nginx.service: Killing process 12 (a b) with signal SIGKILL.",
            {"action": "unit_killing", "comm_pid": "12", "comm": "a b", "signal": "SIGKILL"},
        ),
        (
            "Started nginx.service - A web server.",
            {"action": "unit_started", "unit": "nginx.service", "description": "A web server"},
        ),
        ("Started Session 4 of user root.", {"action": "unit_started", "description": "Session 4 of user root"}),
        ("Stopping auditd.service - Security Auditing Service...", {"action": "unit_stopping", "unit": "auditd.service"}),
        ("Stopped auditd.service - Security Auditing Service.", {"action": "unit_stopped", "unit": "auditd.service"}),
        (
            "Failed to start nginx.service - A web server.",
            {"action": "unit_start_failed", "result": "failure", "unit": "nginx.service"},
        ),
        ("nginx.service: Consumed 1.2s CPU time.", {"unit": "nginx.service"}),
    ],
)  # fmt: skip
def test_messages(message: str, fields: dict[str, Any]) -> None:
    assert parse_unit(message).items() >= fields.items()


@pytest.mark.parametrize(
    "message", ["", "Reached target x.", "Startup finished in 1s.", "x.service", ": Failed with result 'x'."]
)
def test_the_unknown_has_no_fields(message: str) -> None:
    assert parse_unit(message) == {}


def test_a_success_is_no_failure() -> None:
    assert "result" not in parse_unit("x.service: Main process exited, code=exited, status=0/SUCCESS")
    assert "result" not in parse_unit("Started x.service.")
