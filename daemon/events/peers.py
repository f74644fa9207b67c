"""Who and whence, as programs of a login write it: `[invalid user ]U from A port N`, `[… user U] A port N`.

A user name may hold anything that the fixed words hold, so each function here says on which side the program's own
words are trusted, and reads nothing else: no second reading is tried where the trusted one does not fit.
"""

import re

from daemon.model import Value

Fields = dict[str, Value]

_IP = r"[0-9A-Fa-f.:]{2,45}(?:%[A-Za-z0-9_.-]{1,15})?"
_ADDRESS = re.compile(_IP)
_HOST = re.compile(r"[A-Za-z0-9_.:%-]{1,255}")
_PORT = re.compile(r"[0-9]{1,5}")
_PEER_AND_TEXT = re.compile(rf"(?:(?P<who>[^:]*) )?(?P<src>{_IP}) port (?P<port>[0-9]{{1,5}}): ?")


def is_address(text: str) -> bool:
    """Whether a text has the shape of an IP address (nobody asks whether it can exist)."""
    return _ADDRESS.fullmatch(text) is not None


def source_fields(source: str, port: str = "") -> Fields:
    """`src_ip` for an address, `src_host` for a name (`UseDNS yes`), nothing for nothing; `src_port` where known."""
    if not source:
        return {}
    fields: Fields = {"src_ip" if _ADDRESS.fullmatch(source) else "src_host": source}
    if port:
        fields["src_port"] = port
    return fields


def user_fields(name: str, *, exists: bool | None = None) -> Fields:
    """`user` and `invalid_user`. `exists` None: the name is read with `invalid user ` before it when it does not."""
    if exists is None:
        for words in ("invalid user ", "illegal user "):
            if name.startswith(words):
                return {"user": name[len(words) :], "invalid_user": "true"}
    return {"user": name, "invalid_user": "true" if exists is False else "false"}


def last_place(text: str, *, port_needed: bool = True) -> tuple[str, Fields] | None:
    """What stands before the last ` from A[ port N]`, and where that is; None if the text does not end so."""
    before, found, port = text.rpartition(" port ")
    if not found or not _PORT.fullmatch(port):
        if port_needed:
            return None
        before, port = text, ""
    name, found, source = before.rpartition(" from ")
    return (name, source_fields(source, port)) if found and _HOST.fullmatch(source) else None


def last_peer(text: str) -> Fields | None:
    """`[invalid user U|authenticating user U|user U] A port N`, whole; None if the text does not end so."""
    before, found, port = text.rpartition(" port ")
    who, _, source = before.rpartition(" ")
    if not found or not _PORT.fullmatch(port) or not _ADDRESS.fullmatch(source):
        return None
    return {**_preamble(who), **source_fields(source, port)}


def peer_before_text(text: str) -> tuple[Fields, str] | None:
    """`[… user U] A port N: T`, and T, which may be anybody's; the user's name is known to hold no colon."""
    found = _PEER_AND_TEXT.match(text)
    if found is None:
        return None
    return {**_preamble(found["who"] or ""), **source_fields(found["src"], found["port"])}, text[found.end() :]


def _preamble(words: str) -> Fields:
    if words.startswith(("invalid user ", "illegal user ")):
        return user_fields(words)
    for preamble in ("authenticating user ", "user "):
        if words.startswith(preamble):
            return user_fields(words[len(preamble) :], exists=True)
    return {}
