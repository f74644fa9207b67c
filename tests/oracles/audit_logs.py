"""Audit logs as a busy kernel and auditd would write them: strategies for hypothesis."""

from hypothesis import strategies as st
from msgspec import Struct

_CHARACTERS = "aZ09AF.-/=_'\"{} ,:;(\n\tяé€\x7f"
WORDS = st.text(alphabet=_CHARACTERS, max_size=12)
NAMES = st.text(alphabet=_CHARACTERS.replace("/", ""), min_size=1, max_size=10)
_KEYS = ("(null)", '"exec"', '"a,b"', "6578656301737573706563740A")
_RESULTS = ("success", "failed")
_NODES = ("", "", "", "alpha", "beta")
_CALLS = {"execve": 59, "connect": 42, "openat": 257, "rename": 82, "sendto": 44}


class Made(Struct, frozen=True):
    """One event: its identity as (node, stamp, serial), its lines in the order of the kernel, and the arguments that the
    program of an execve got.
    """

    node: str
    stamp: str
    serial: int
    lines: tuple[str, ...]
    arguments: tuple[str, ...] = ()


class Log(Struct, frozen=True):
    """Events, and the lines of the log that holds them."""

    made: tuple[Made, ...]
    lines: list[bytes]


def kernel_string(value: str | bytes) -> str:
    """An untrusted string as `audit_log_n_untrustedstring` writes it."""
    data = value.encode() if isinstance(value, str) else value
    clean = all(0x21 <= byte < 0x7F and byte != 0x22 for byte in data)
    return f'"{data.decode()}"' if clean else data.hex().upper()


@st.composite
def events(draw: st.DrawFn, serial: int, at: int, node: str) -> Made:
    """An event of any shape, at so many milliseconds."""
    stamp = f"{1_795_000_000 + at // 1000}.{at % 1000:03}"
    shape = draw(st.sampled_from([None, None, connection, file_made, user_record, daemon_record, rule_change]))
    arguments = [] if shape is not None else draw(st.lists(WORDS, min_size=1, max_size=6))
    bodies = program_start(draw, arguments) if shape is None else shape(draw)
    prefix = f"node={node} " if node else ""
    lines = [f"{prefix}type={kind} msg=audit({stamp}:{serial}): {body}" for kind, body in bodies]
    if len(lines) > 1 and draw(st.booleans()):
        lines.append(f"{prefix}type=EOE msg=audit({stamp}:{serial}): ")
    return Made(node, stamp, serial, tuple(lines), tuple(arguments))


def _call(draw: st.DrawFn, name: str, success: str = "yes") -> tuple[str, str]:
    enriched = f'\x1dARCH=x86_64 SYSCALL={name} AUID="alice" UID="alice" EUID="root"'
    body = (
        f"arch=c000003e syscall={_CALLS[name]} success={success} exit=0 a0=4142 a1=7ffe a2=241 a3=1b6 items=2 ppid=200 pid=300 "
        f"auid=1000 uid=1000 gid=1000 euid=0 tty=pts0 ses=7 comm={kernel_string(draw(NAMES))} "
        f"exe={kernel_string('/' + draw(WORDS))} key={draw(st.sampled_from(_KEYS))}"
    )
    return "SYSCALL", body + (enriched if draw(st.booleans()) else "")


def _path(draw: st.DrawFn, item: int, kind: str) -> tuple[str, str]:
    name = draw(
        st.one_of(st.just("(null)"), WORDS.map(lambda word: kernel_string("/" + word)), NAMES.map(kernel_string))
    )
    enriched = draw(st.sampled_from(["", '\x1dOUID="root" OGID="root"']))
    return (
        "PATH",
        f"item={item} name={name} inode=7 dev=08:01 mode=0100644 ouid=0 ogid=0 rdev=00:00 nametype={kind}{enriched}",
    )


def _title(draw: st.DrawFn, arguments: list[str]) -> list[tuple[str, str]]:
    if draw(st.integers(0, 5)) == 0:  # an old kernel, or a rule excludes the type
        return []
    called, *others = arguments
    # libauparse reads past the end of a title that begins with an empty argument
    return [("PROCTITLE", f"proctitle={kernel_string(chr(0).join([called or 'x', *others]).encode())}")]


def program_start(draw: st.DrawFn, arguments: list[str]) -> list[tuple[str, str]]:
    """An execve with its arguments, long ones in chunks, many in several records."""
    said = [part for index, value in enumerate(arguments) for part in _argument(draw, index, value)]
    cuts = sorted(draw(st.sets(st.integers(1, max(1, len(said) - 1)), max_size=2)))
    parts = [said[start:end] for start, end in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    records = [("EXECVE", " ".join(part)) for part in parts if part]
    records[0] = ("EXECVE", f"argc={len(arguments)} {records[0][1]}")
    cwd = ("CWD", f"cwd={kernel_string('/' + draw(WORDS))}")
    success = draw(st.sampled_from(["yes", "yes", "no"]))
    return [_call(draw, "execve", success), *records, cwd, _path(draw, 0, "NORMAL"), *_title(draw, arguments)]


def _argument(draw: st.DrawFn, index: int, value: str) -> list[str]:
    data = value.encode()
    if len(data) < 4 or draw(st.integers(0, 2)):
        return [f"a{index}={kernel_string(value)}"]
    cut = draw(st.integers(1, len(data) - 1))
    chunks = [f"a{index}[{number}]={part.hex().upper()}" for number, part in enumerate((data[:cut], data[cut:]))]
    return [f"a{index}_len={2 * len(data)} {chunks[0]}", chunks[1]]


def connection(draw: st.DrawFn) -> list[tuple[str, str]]:
    """A connect."""
    saddr = draw(
        st.sampled_from(
            [
                "02000050CB0071090000000000000000",
                "0A00115C0000000020010DB800000000000000000000000100000000",
                "0A0001BB0000000000000000000000000000FFFFC633640700000000",
                "01002F72756E2F782E736F636B00",
                "01002F72756E2F7900",  # libauparse reads past the end of a path without its NUL
                "100000000000000000000000",
                "02000050CB00",
            ]
        )
    )
    return [_call(draw, "connect"), ("SOCKADDR", f"saddr={saddr}"), *_title(draw, ["nc", draw(WORDS)])]


def file_made(draw: st.DrawFn) -> list[tuple[str, str]]:
    """A file that is opened or renamed."""
    name = draw(st.sampled_from(["openat", "rename"]))
    paths = [_path(draw, 0, "PARENT"), _path(draw, 1, draw(st.sampled_from(["CREATE", "NORMAL", "DELETE"])))]
    return [_call(draw, name), ("CWD", f"cwd={kernel_string('/' + draw(WORDS))}"), *paths, *_title(draw, [draw(NAMES)])]


def user_record(draw: st.DrawFn) -> list[tuple[str, str]]:
    """What a program says: it stands alone."""
    kind = draw(st.sampled_from(["USER_LOGIN", "CRED_ACQ", "USER_CMD", "SERVICE_START", "ADD_USER"]))
    said = (
        f'op=login acct={kernel_string(draw(NAMES))} exe="/usr/sbin/sshd" hostname=? addr=192.0.2.7 terminal=ssh '
        f"res={draw(st.sampled_from(_RESULTS))}"
    )
    enriched = draw(st.sampled_from(["", '\x1dUID="root" AUID="alice"']))
    return [(kind, f"pid=9 uid=0 auid=1000 ses=3 msg='{said}'{enriched}")]


def daemon_record(draw: st.DrawFn) -> list[tuple[str, str]]:
    """What auditd says of itself."""
    kind = draw(st.sampled_from(["DAEMON_START", "DAEMON_ROTATE", "DAEMON_END"]))
    return [(kind, "op=start ver=3.0.9 format=enriched auid=0 pid=1 uid=0 ses=1 res=success")]


def rule_change(draw: st.DrawFn) -> list[tuple[str, str]]:
    """A change of the rules: a record before its system call."""
    change = ("CONFIG_CHANGE", 'auid=0 ses=1 op=remove_rule key="x" list=4 res=1')
    return [change, _call(draw, "sendto"), *_title(draw, ["auditctl", "-D"])]


@st.composite
def logs(
    draw: st.DrawFn, *, steps: tuple[int, ...] = (0, 1, 3, 40, 150), nodes: bool = True, order: str = "kept"
) -> Log:
    """Events, and a log in which the records of several in flight stand mixed.

    `steps` are milliseconds from one event to the next. The records of one event stand in their `order`: as the kernel
    wrote them (`kept`), mixed but for what ends the event (`ended`), or in any (`any`).
    """
    made, at = [], 100
    for index in range(draw(st.integers(1, 9))):
        at += draw(st.sampled_from(steps))
        made.append(draw(events(serial=1000 + index, at=at, node=draw(st.sampled_from(_NODES)) if nodes else "")))
    waiting = [_ordered(draw, event.lines, order) for event in made]
    lines: list[str] = []
    while any(waiting):
        open_ones = [rest for rest in waiting if rest][:4]
        lines.append(open_ones[draw(st.integers(0, len(open_ones) - 1))].pop(0))
    return Log(tuple(made), [line.encode() for line in lines])


def _ordered(draw: st.DrawFn, lines: tuple[str, ...], order: str) -> list[str]:
    if order == "kept":
        return list(lines)
    ends = [] if order == "any" else [line for line in lines if "type=PROCTITLE" in line or "type=EOE" in line]
    return [*draw(st.permutations([line for line in lines if line not in ends])), *ends]


@st.composite
def torn_logs(draw: st.DrawFn) -> Log:
    """A log of which some lines are cut short, as by a full disk or a killed auditd."""
    log = draw(logs())
    lines = list(log.lines)
    for _ in range(draw(st.integers(1, 3))):
        at = draw(st.integers(0, len(lines) - 1))
        body = lines[at].find(b"): ") + 3
        cut = lines[at][: draw(st.integers(body, len(lines[at])))]
        lines[at] = cut.decode("utf-8", "ignore").encode()  # libauparse's binding cannot hand over half a character
    return Log(log.made, list(dict.fromkeys(lines)))
