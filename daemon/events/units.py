"""What systemd (PID 1 and user managers) says of units → fields: started, stopped, exited, failed, restarted too often.

Since 248 a line begins with the unit's name (`LOG_UNIT_MESSAGE`); before, the job lines had the unit's description
alone (`Started Session 4 of user root.`), which is given as `description`.
"""

import re

from daemon.events.peers import Fields

_UNIT = r"(?P<unit>[^ :]{1,255}\.(?:service|socket|device|mount|automount|swap|target|path|timer|slice|scope))"
_ABOUT = re.compile(_UNIT + r": ")
_JOB = re.compile(
    r"(?P<what>Starting|Started|Stopping|Stopped|Finished|Reloading|Reloaded|Failed to start|Failed to mount) "
    + _UNIT
    + r"?(?: - )?(?P<description>.*?)(?:\.\.\.|\.)?",
    re.DOTALL,
)
_JOBS = {
    "Starting": "unit_starting",
    "Started": "unit_started",
    "Stopping": "unit_stopping",
    "Stopped": "unit_stopped",
    "Finished": "unit_finished",
    "Reloading": "unit_reloading",
    "Reloaded": "unit_reloaded",
    "Failed to start": "unit_start_failed",
    "Failed to mount": "unit_start_failed",
}
_SAID = (
    (
        "unit_exited",
        re.compile(
            r"(?:Main|Control) process exited, code=(?P<code>[a-z]+),? status=(?P<status>[0-9]{1,5})"
            r"(?:/(?P<status_name>.*))?"
        ),
    ),
    ("unit_failed", re.compile(r"Failed with result '(?P<reason>[a-z-]*)'\.")),
    ("unit_failed", re.compile(r"Unit entered failed state\.")),
    ("unit_restart", re.compile(r"Scheduled restart job, restart counter is at (?P<restarts>[0-9]{1,9})\.")),
    ("unit_restart", re.compile(r"Service RestartSec=[^ ]* expired, scheduling restart\.")),
    ("unit_start_limit", re.compile(r"Start request repeated too quickly\.")),
    ("unit_oom", re.compile(r"A process of this unit has been killed by the OOM killer\.")),
    ("unit_oom", re.compile(r"systemd-oomd killed (?P<killed>[0-9]{1,9}) process\(es\) in this unit\.")),
    ("unit_timeout", re.compile(r"(?:State '[^']*'|[Ss]tart operation|Watchdog|[Ss]top.*) timed? ?out.*")),
    (
        "unit_killing",
        re.compile(r"Killing process (?P<comm_pid>[0-9]{1,10}) \((?P<comm>.*)\) with signal (?P<signal>[^ ]*)\."),
    ),
    ("unit_deactivated", re.compile(r"Deactivated successfully\.")),
)
_BAD = {"unit_failed", "unit_start_failed", "unit_start_limit", "unit_oom", "unit_timeout"}


def parse_unit(message: str) -> Fields:
    """`action`, `result` where it failed, `unit`, `code`, `status`, `restarts`, `reason`, `description`; else empty."""
    about = _ABOUT.match(message)
    if about is not None:
        return _about(about["unit"], message[about.end() :])
    job = _JOB.fullmatch(message)
    if job is None:
        return {}
    action = _JOBS[job["what"]]
    named = {"unit": job["unit"], "description": job["description"]}
    return _with_result(action, {key: value for key, value in named.items() if value})


def _about(unit: str, said: str) -> Fields:
    for action, pattern in _SAID:
        found = pattern.fullmatch(said)
        if found is not None:
            fields = {key: value for key, value in found.groupdict().items() if value}
            failed = action == "unit_exited" and fields["status"] != "0"
            return _with_result(action, {"unit": unit, **fields}, failed=failed)
    return {"unit": unit}


def _with_result(action: str, fields: dict[str, str], *, failed: bool = False) -> Fields:
    return {"action": action, **({"result": "failure"} if failed or action in _BAD else {}), **fields}
