"""What cron and crontab say → fields: `(U) ACTION (TEXT)`. U has an account; the text is whatever it wrote there."""

import re

from daemon.events.peers import Fields

_SAID = re.compile(
    r"\((?P<user>[^)]{0,255})\) (?P<action>[A-Z][A-Z ]{1,30}[A-Z]|error) \((?P<command>.*)\)\s*", re.DOTALL
)
_FAILED = re.compile(r"\((?P<user>[^)]{0,255})\) (?P<reason>FAILED to .*)", re.DOTALL)


def parse_cron(message: str) -> Fields:
    """`action` (`cron_cmd`, `cron_replace`, `cron_begin_edit` …), `user`, `command`; empty for what is none of it."""
    found = _SAID.fullmatch(message)
    if found is not None:
        action = "cron_" + found["action"].lower().replace(" ", "_")
        fields: Fields = {"action": action, "user": found["user"], "command": found["command"]}
        return {key: value for key, value in fields.items() if value}
    failed = _FAILED.fullmatch(message)
    if failed is None:
        return {}
    return {"action": "cron_failed", "result": "failure", "user": failed["user"], "reason": failed["reason"]}
