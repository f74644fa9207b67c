"""What journalctl is asked, and how what it prints is cut into entries."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.config import JournalSource
from daemon.sources.journal_child import Cutter, JournalChild, arguments, find_cursor, own_machine

MACHINE = "d50c47cfb6e14cbabfabb90c46bad06a"


def test_our_own_journal_is_followed_without_those_of_other_hosts() -> None:
    config = JournalSource(type="journal", units=("ssh.service",), matches=("_UID=0", "+", "_UID=33"), fields=("X_Y",))
    command = arguments(config, begin="s=1;i=2", machine=MACHINE)
    assert {"--all", "--follow", "--no-tail", "--merge", "--cursor=s=1;i=2", "--unit=ssh.service"} <= set(command)
    ours = f"_MACHINE_ID={MACHINE}"
    assert command[-5:] == [ours, "_UID=0", "+", ours, "_UID=33"]
    assert any(one.startswith("--output-fields=MESSAGE,") and one.endswith(",X_Y") for one in command)


def test_the_newest_entry_is_asked_for_alone_and_short() -> None:
    command = arguments(JournalSource(type="journal"), begin=None)
    assert {"--lines=1", "--output-fields=_COMM"} <= set(command)
    assert "--follow" not in command


def test_another_journal_is_read_whatever_hosts_are_in_it(tmp_path: Path) -> None:
    command = arguments(JournalSource(type="journal", directory=tmp_path), begin="", machine=MACHINE)
    assert {f"--directory={tmp_path}", "--merge", "--follow"} <= set(command)
    assert not any(one.startswith(("--cursor", "_MACHINE_ID")) for one in command)
    files = arguments(JournalSource(type="journal", files=("/a/*.journal", "/b.journal")), begin="", machine=MACHINE)
    assert {"--file=/a/*.journal", "--file=/b.journal"} <= set(files)
    remote = JournalSource(type="journal", matches=("_MACHINE_ID=x",))
    assert arguments(remote, begin="", machine=MACHINE)[-1] == "_MACHINE_ID=x"


@pytest.mark.parametrize(
    ("text", "machine"), [(f"{MACHINE}\n", MACHINE), ("uninitialized\n", ""), ("", ""), (None, "")]
)
def test_the_id_of_this_host(tmp_path: Path, text: str | None, machine: str) -> None:
    if text is not None:
        (tmp_path / "machine-id").write_text(text, encoding="ascii")
    assert own_machine(tmp_path / "machine-id") == machine


def entry(number: int, padding: int = 0) -> bytes:
    forged = b'\\"__CURSOR\\":\\"s=9;i=9\\"'
    return b'{"MESSAGE":"%s%s","__CURSOR":"s=1;i=%x"}\n' % (forged, b"x" * padding, number)


def test_a_message_cannot_forge_a_cursor() -> None:
    assert find_cursor(entry(5)) == "s=1;i=5"
    assert find_cursor(b'{"MESSAGE":"\\"__CURSOR\\":\\"s=9;i=9\\""}') == ""


@given(
    st.lists(st.integers(0, 3000).filter(lambda size: not 850 < size < 1100), max_size=12),
    st.integers(1, 4000),
)
def test_however_the_bytes_come_every_entry_that_fits_comes_whole(paddings: list[int], step: int) -> None:
    """And every other is counted, and the cursor is that of the last one."""
    written = [entry(number, padding) for number, padding in enumerate(paddings)]
    data, cutter = b"".join(written), Cutter(1000)
    out = [found for start in range(0, len(data), step) for found in cutter.feed(data[start : start + step])]
    assert b"".join(one.data for one in out) == b"".join(one for one in written if len(one) <= 1000)
    assert sum(one.too_long for one in out) == sum(len(one) > 1000 for one in written)
    if written:
        assert out[-1].cursor == f"s=1;i={len(written) - 1:x}"


def test_what_waits_for_its_end_is_bounded() -> None:
    cutter = Cutter(4096)
    for _ in range(1000):
        assert list(cutter.feed(b"x" * 4096)) == []
    assert len(cutter._rest) <= 2 * 4096


async def test_what_it_says_is_heard_and_why_it_ended_is_told() -> None:
    heard: list[str] = []
    child = await JournalChild.start(["sh", "-c", "echo out; echo  one >&2; echo two >&2; exit 3"], heard.append)
    assert await child.read() == b"out\n"
    ended = await child.ended()
    await child.close()
    assert ended is not None
    assert ended.detail == "journalctl ended with exit code 3: one two"
    assert heard[-1] == "one two"


@pytest.mark.parametrize("program", ["/nonexistent/journalctl", "/etc/passwd"])
async def test_a_program_that_is_not_there_or_none_is_an_os_error(program: str) -> None:
    with pytest.raises(OSError, match=r".+"):
        await JournalChild.start([program], lambda _: None)
