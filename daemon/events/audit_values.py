"""One value of an audit record: quoted or bare, hex or literal, and how it is shown.

The kernel quotes an untrusted string that is clean (no quote, no blank, no control, ASCII) and writes any other as
upper-case hex without quotes (`audit_log_n_untrustedstring` in `kernel/audit.c`). So quoted is literal, whatever it
looks like, and of the bare ones only the fields in `HEX_KEYS` (auparse's typetab: type `escaped`) may be hex.
"""

import re

from daemon.model import Value

HEX_KEYS = frozenset(
    {
        *("acct", "cmd", "comm", "cwd", "data", "device", "dir", "exe", "file", "grp", "invalid_context", "key"),
        *("label", "name", "new-chardev", "new-disk", "new-fs", "new-net", "new-rng", "ocomm", "old-chardev"),
        *("old-disk", "old-fs", "old-net", "old-rng", "path", "peer", "proctitle", "profile", "root_dir", "sw"),
        *("target", "vm", "watch"),
    }
)
NAMED_IDS = frozenset(
    {
        *("AUID", "UID", "EUID", "SUID", "FSUID", "GID", "EGID", "SGID", "FSGID", "OUID", "OGID", "OAUID", "SAUID"),
        *("OLD-AUID", "ID", "INODE_UID", "INODE_GID", "OBJ_UID", "OBJ_GID"),
    }
)
"""The keys under which auditd adds the names of users and groups; a name with a blank is hex there, too."""
_HEX = re.compile(r"(?:[0-9A-F]{2})+")
_KEY_SEPARATOR = "\x01"
_CONTROLS = dict.fromkeys([*range(32), 127], " ")


def is_hex(bare: str) -> bool:
    """Whether a value without quotes is hex as the kernel writes it: whole bytes, upper case."""
    return _HEX.fullmatch(bare) is not None


def decode_hex(key: str, bare: str) -> Value:
    """What the hex of a field says. Several keys (`-k a -k b`) are several values; a NUL in a title is a blank."""
    data = bytes.fromhex(bare)
    if key == "proctitle":
        return to_text(data.rstrip(b"\0").replace(b"\0", b" "))
    value = to_text(data)
    if key == "key" and _KEY_SEPARATOR in value:
        return tuple(part for part in value.split(_KEY_SEPARATOR) if part)
    return value


def argument_bytes(value: bytes) -> bytes:
    """One argument (or chunk of one) of an EXECVE record, as the program got it."""
    if value[:1] == b'"':
        return value[1:-1] if len(value) > 1 and value[-1:] == b'"' else value[1:]
    try:
        # old kernels wrote clean arguments without quotes: what is no upper-case hex is literal
        return bytes.fromhex(value.decode("ascii")) if value.upper() == value else value
    except ValueError:
        return value


def to_text(data: bytes) -> str:
    """Bytes as text; bytes that are no UTF-8 are shown escaped."""
    return data.decode("utf-8", "backslashreplace")


def unquoted(value: str) -> str:
    """A value without the quotes around it; one that was cut may lack the second."""
    if value[:1] != '"':
        return value
    return value[1:-1] if len(value) > 1 and value[-1] == '"' else value[1:]


def one_line(text: str) -> str:
    """Text of a record on one line: a control character is a blank."""
    return text.translate(_CONTROLS)


def show(text: str, key: str, bare: str, value: Value) -> str:
    """The text of a record with the hex of one field shown decoded."""
    values = value if isinstance(value, tuple) else (value,)
    return text.replace(f"{key}={bare}", one_line(" ".join(f'{key}="{one}"' for one in values)), 1)
