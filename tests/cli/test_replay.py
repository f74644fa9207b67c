"""The documented output and exit codes, through the command line."""

import gzip
import json
from pathlib import Path

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
