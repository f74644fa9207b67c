"""The documented output and exit codes, through the command line."""

import gzip
import json
import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.cli.app import app

RUN = CliRunner()
FIELDS = {
    "rule_id",
    "rule_title",
    "level",
    "author",
    "techniques",
    "time",
    "host",
    "entity",
    "because",
    "position",
    "evidence",
}


def test_an_attack_is_found_with_all_documented_fields(repository: Path) -> None:
    attack = repository / "examples" / "attack"

    done = RUN.invoke(app, ["replay", "--quiet", str(attack / "audit.log"), str(attack / "auth.log")])

    found = [json.loads(line) for line in done.stdout.splitlines()]
    assert done.exit_code == 3
    assert all(set(one) == FIELDS for one in found)
    assert len(found) == 12
    assert [one["time"] for one in found] == sorted(one["time"] for one in found)
    assert found[0]["position"]["path"].endswith("auth.log")


def test_incidents_and_gzip(repository: Path, tmp_path: Path) -> None:
    packed = tmp_path / "auth.log.gz"
    packed.write_bytes(gzip.compress((repository / "examples" / "attack" / "auth.log").read_bytes(), mtime=0))

    done = RUN.invoke(app, ["replay", "--quiet", "--incidents", "--format", "syslog", str(packed)])

    assert done.exit_code == 3
    assert [json.loads(line)["count"] for line in done.stdout.splitlines()] == [1, 1, 1, 1]


@pytest.mark.parametrize("packed", [False, True])
def test_a_pipe_is_read_once_and_as_a_file(repository: Path, tmp_path: Path, *, packed: bool) -> None:
    text = (repository / "examples" / "attack" / "auth.log").read_bytes()
    data = gzip.compress(text) if packed else text
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)

    def write() -> None:
        with pipe.open("wb", buffering=0) as writer:
            for start in range(0, len(data), 1000):
                writer.write(data[start : start + 1000])

    writing = threading.Thread(target=write)
    writing.start()
    done = RUN.invoke(app, ["replay", "--incidents", str(pipe)])
    writing.join()

    assert done.exit_code == 3
    assert [json.loads(line)["count"] for line in done.stdout.splitlines()] == [1, 1, 1, 1]


@pytest.mark.parametrize("name", ["-", "/dev/stdin"])
def test_standard_input_is_read(repository: Path, name: str) -> None:
    text = (repository / "examples" / "attack" / "auth.log").read_bytes()
    command = [sys.executable, "-m", "daemon", "replay", "--quiet", "--incidents", name]

    done = subprocess.run(command, check=False, input=text, capture_output=True, cwd=repository)

    assert (done.returncode, done.stderr) == (3, b"")
    assert len(done.stdout.splitlines()) == 4


def test_nothing_found_is_zero_and_bad_input_is_two(tmp_path: Path) -> None:
    quiet = tmp_path / "quiet.log"
    quiet.write_text("Nov 21 11:20:00 web-1 systemd[1]: Started Session 1 of user alice.\n")
    odd = tmp_path / "odd.log"
    odd.write_bytes(b"\x00\x01\x02 nothing that we know\n" * 3)

    assert RUN.invoke(app, ["replay", "--quiet", str(quiet)]).exit_code == 0
    assert RUN.invoke(app, ["replay", "--quiet", str(tmp_path / "none.log")]).exit_code == 2
    assert RUN.invoke(app, ["replay", "--quiet", "--format", "xml", str(quiet)]).exit_code == 2
    assert RUN.invoke(app, ["replay", "--quiet", "--rules", "/nowhere", str(quiet)]).exit_code == 2
    refused = RUN.invoke(app, ["replay", "--quiet", str(odd)])
    assert refused.exit_code == 2
    assert "say which with --format" in refused.stderr


SUDO = "sudo[1]:      bob : user NOT in sudoers ; TTY=pts/1 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/cat /etc/shadow"


@pytest.mark.parametrize("stamp", ["0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00"])
def test_one_silly_date_hides_nothing(tmp_path: Path, stamp: str) -> None:
    log = tmp_path / "auth.log"
    log.write_text(f"{stamp} web-1 {SUDO}\n2026-11-21T09:30:00Z web-1 {SUDO}\n{stamp} web-1 {SUDO}\n")
    rows = tmp_path / "rows.json"
    rows.write_text(
        "".join(
            f'{{"time": "{at}", "SYSLOG_IDENTIFIER": "sudo", "MESSAGE": "{SUDO.partition(": ")[2]}"}}\n'
            for at in (stamp, "2026-11-21T09:30:00Z")
        )
    )
    os.utime(log, (1795260000, 1795260000))

    done = RUN.invoke(app, ["replay", "--quiet", str(log), str(rows)])

    assert done.exit_code == 3, done.stderr
    times = [json.loads(line)["time"][:10] for line in done.stdout.splitlines()]
    assert len(times) == 5
    assert times.count("2026-11-21") >= 4


def test_stamps_later_than_the_file_are_believed(tmp_path: Path) -> None:
    log = tmp_path / "auth.log"
    log.write_text("".join(f"2026-11-{day}T09:30:00Z web-1 {SUDO}\n" for day in (20, 21)))
    os.utime(log, (0, 0))

    done = RUN.invoke(app, ["replay", "--quiet", str(log)])

    assert [json.loads(line)["time"][:10] for line in done.stdout.splitlines()] == ["2026-11-20", "2026-11-21"]


@pytest.mark.parametrize("incidents", [False, True])
def test_what_stands_before_the_damage_is_found_and_the_other_files_too(tmp_path: Path, *, incidents: bool) -> None:
    noise = "".join(f"2026-11-21T09:30:01Z web-1 app[1]: {os.urandom(20).hex()}\n" for _ in range(3000))
    cut = tmp_path / "cut.gz"
    cut.write_bytes(gzip.compress(f"2026-11-21T09:30:00Z web-1 {SUDO}\n{noise}".encode())[:-5000])
    nothing = tmp_path / "nothing.gz"
    nothing.write_bytes(gzip.compress(b"x")[:8])
    whole = tmp_path / "whole.log"
    whole.write_text(f"2026-11-21T23:30:00Z web-2 {SUDO}\n")

    arguments = ["--incidents"] if incidents else []
    done = RUN.invoke(app, ["replay", "--quiet", *arguments, str(cut), str(nothing), str(whole)])

    assert [json.loads(line)["host"] for line in done.stdout.splitlines()] == ["web-1", "web-2"]
    assert done.exit_code == 2
    assert [line.partition(": ")[0] for line in done.stderr.splitlines()] == [str(nothing), str(cut)]
    assert "expected a whole gzip stream" in done.stderr


def test_a_file_that_cannot_be_read_on_is_said_after_what_was_found(tmp_path: Path) -> None:
    whole = tmp_path / "whole.log"
    whole.write_text(f"2026-11-21T09:30:00Z web-1 {SUDO}\n")
    unreadable = Path("/proc/self/mem")  # opens, and then fails to be read at its beginning

    done = RUN.invoke(app, ["replay", "--quiet", "--format", "syslog", "--incidents", str(whole), str(unreadable)])

    assert len(done.stdout.splitlines()) == 1
    assert done.exit_code == 2
    assert done.stderr.startswith("/proc/self/mem: expected a readable file (got: Input/output error)")


@pytest.mark.parametrize("fmt", ["json", "syslog"])
def test_a_file_of_which_nothing_is_understood_is_bad_input(repository: Path, fmt: str) -> None:
    log = repository / "examples" / "attack" / "audit.log"

    done = RUN.invoke(app, ["replay", "--quiet", "--format", fmt, str(log)])

    assert done.exit_code == 2
    assert f"{log}: expected {fmt} lines (got 60 that are none)" in done.stderr


def test_a_directory_without_rules_is_bad_input(repository: Path, tmp_path: Path) -> None:
    done = RUN.invoke(
        app, ["replay", "--quiet", "--rules", str(tmp_path), str(repository / "examples" / "attack" / "audit.log")]
    )

    assert done.exit_code == 2
    assert f"expected Sigma rules in {tmp_path} (got none" in done.stderr


def test_nothing_is_said_on_a_stderr_that_is_no_terminal(repository: Path) -> None:
    log = repository / "examples" / "attack" / "auth.log"
    done = subprocess.run(
        [sys.executable, "-m", "daemon", "replay", str(log)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (3, "")


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("rubbish\nmore\n", "2 lines are no syslog; only the text of such lines was searched"),
        ("rubbish\n", "1 line is no syslog; only the text of such lines was searched"),
        ("", ""),
    ],
)
def test_lines_that_nobody_understood_are_counted(repository: Path, tmp_path: Path, wrong: str, said: str) -> None:
    log = tmp_path / "auth.log"
    log.write_bytes((repository / "examples" / "attack" / "auth.log").read_bytes() + wrong.encode())

    done = RUN.invoke(app, ["replay", str(log)])

    assert done.exit_code == 3
    assert done.stderr == (f"{log}: {said}\n" if said else "")
    assert RUN.invoke(app, ["replay", "--quiet", str(log)]).stderr == ""
