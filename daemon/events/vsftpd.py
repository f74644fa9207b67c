"""What vsftpd says → fields: `[U] FAIL LOGIN: Client "A"`, `CONNECT: Client "A"`.

U of a failure is what a stranger typed, so there the address at the end counts; U of a success is an account, and an
anonymous one's password, which stands last, is free text, so there the first address does.
"""

import re

from daemon.events.peers import Fields, source_fields

_ADDRESS = r"\"(?:::ffff:)?(?P<src>[0-9A-Fa-f.:]{2,45})\""
_FAILED = re.compile(rf"\[(?P<user>.*)\] FAIL LOGIN: Client {_ADDRESS}", re.DOTALL)
_WORKED = re.compile(rf"\[(?P<user>[^\]]{{0,255}})\] OK LOGIN: Client {_ADDRESS}(?:, anon password \".*\")?", re.DOTALL)
_CONNECTED = re.compile(rf"CONNECT: Client {_ADDRESS}(?:, .*)?", re.DOTALL)
_KINDS = (
    ({"action": "login_failed", "result": "failure"}, _FAILED),
    ({"action": "login", "result": "success"}, _WORKED),
    ({"action": "connection"}, _CONNECTED),
)


def parse_vsftpd(message: str) -> Fields:
    """`action`, `result`, `user`, `src_ip` of a login or a connection; empty for all else."""
    for verdict, pattern in _KINDS:
        found = pattern.fullmatch(message)
        if found is not None:
            groups = found.groupdict()
            named = {"user": groups["user"]} if "user" in groups else {}
            return {**verdict, **named, **source_fields(groups["src"] or "")}
    return {}
