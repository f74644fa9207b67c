"""Gauges and intakes are examined like any other part: what is there, what is hidden, what opens it."""

import json
import threading
from pathlib import Path

import pytest
from typer.testing import CliRunner

from daemon.cli.app import app
from daemon.cli.other_inputs import examine_host, examine_intakes
from daemon.config import Config, HostSource

TOKEN = "0123456789abcdef0123456789abcdef"


async def test_one_reading_tells_how_many_gauges_there_are() -> None:
    found = await examine_host(HostSource(type="host", name="box", interval=7))
    assert (found.part, found.state, found.mend) == ("source box", "ok", "")
    assert found.detail.split(";")[0].endswith(" gauges every 7 s")
    assert int(found.detail.split()[0]) > 10


async def test_a_kernel_that_shows_nothing_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.sources.host_samples.HostSamples.read", lambda *_: [])
    found = await examine_host(HostSource(type="host"))
    assert (found.state, found.detail) == ("wrong", "no gauge can be read")


async def test_a_reading_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()
    monkeypatch.setattr("daemon.cli.other_inputs._SLOW", 0.01)
    monkeypatch.setattr("daemon.sources.host_samples.HostSamples.read", lambda *_: ended.wait(5))
    found = await examine_host(HostSource(type="host"))
    ended.set()
    assert (found.state, found.detail) == ("wrong", "a reading of all gauges takes longer than 0.01 s")


async def test_a_filesystem_that_does_not_answer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("daemon.sources.host_samples.HostSamples.hung", ["/mnt/nfs"])
    found = await examine_host(HostSource(type="host"))
    assert (found.state, found.detail) == ("wrong", "no answer from /mnt/nfs")


def intakes(top: Path, api_token: str = "") -> Config:
    (top / "own").write_text(TOKEN)
    api = {"listen": "127.0.0.1:9", **({"token_file": api_token} if api_token else {})}
    sources = [
        {"type": "intake", "name": "falco", "preset": "falco", "token_file": str(top / "own")},
        {"type": "intake", "name": "any", "token_file": str(top / "none")},
        {"type": "intake", "name": "ours", "mapping": {"time": "at"}, "token_file": str(top / "own")},
        {"type": "host"},
    ]
    return Config.model_validate({"api": api, "sources": sources})


def test_intakes_say_where_and_what_opens_them(tmp_path: Path) -> None:
    falco, ours = examine_intakes(intakes(tmp_path))
    assert (falco.part, falco.state) == ("source falco", "ok")
    assert falco.detail == (
        f"POST http://127.0.0.1:9/api/v1/events takes records of falco, opened by the token in {tmp_path}/own"
    )
    assert (ours.part, "by your mapping" in ours.detail) == ("source ours", True)


def test_the_doctor_has_a_line_for_each_and_nothing_between_them(tmp_path: Path) -> None:
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "c.yaml").write_text(
        f"state_directory: {tmp_path}/state\nmodel: {{mode: 'off'}}\nmemory: {{mode: 'off'}}\n"
        f"api: {{listen: '127.0.0.1:1', token_file: {tmp_path}/token}}\n"
        f"sources: [{{type: host}}, {{type: intake}}, {{type: intake, name: bad, token_file: {tmp_path}/none}}]\n"
    )
    done = CliRunner().invoke(app, ["doctor", "--json", "--config", str(tmp_path / "c.yaml")])
    rows = {row["part"]: row for row in json.loads(done.stdout)}
    assert (rows["source host"]["state"], rows["source intake"]["state"]) == ("ok", "ok")
    assert f"opened by the token in {tmp_path}/token" in rows["source intake"]["detail"]
    assert rows["sources.2.token_file"]["state"] == "wrong"
    assert "source bad" not in rows
    assert TOKEN not in done.stdout
