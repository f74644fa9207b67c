"""The process in one piece: a line becomes a stored incident and a delivered alert, a reload keeps what it refuses."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from daemon.cli.demo.receiver import Receiver
from daemon.cli.demo.scenario import WAVES, audit_lines, ssh_lines
from daemon.cli.demo.stage import free_port, new_secret
from daemon.model import ProblemsError
from daemon.runtime import Runtime, Surroundings
from daemon.sd_notify import Notifier
from daemon.service import Loaded, Service, describe_change, load
from daemon.supervisor import end

CONFIG = """\
host: web-1
state_directory: {top}/state
sources:
  - {{type: file, name: audit, path: {top}/audit.log}}
  - {{type: file, name: auth, path: {top}/auth.log}}
memory: {{mode: "off"}}
model: {{mode: "off"}}
webhooks:
  - name: ops
    url: http://127.0.0.1:{port}/alerts
    secret_files: [{top}/secret]
    allow_private: [127.0.0.1/32]
api: {{listen: "127.0.0.1:{api}"}}
"""


async def wait_until(service: Service, titles: set[str], receiver: Receiver) -> None:
    async with asyncio.timeout(20):
        while {received.body["data"]["title"] for received in receiver.accepted} < titles:
            receiver.arrived.clear()
            await receiver.arrived.wait()


async def test_from_a_line_to_a_signed_webhook_and_a_refused_reload(tmp_path: Path) -> None:
    secret, api = new_secret(), free_port()
    (tmp_path / "secret").write_text(secret)
    receiver = Receiver(secret)
    async with receiver.listening():
        path = tmp_path / "config.yaml"
        path.write_text(CONFIG.format(top=tmp_path, port=receiver.port, api=api))
        for name in ("audit.log", "auth.log"):
            (tmp_path / name).touch()
        service = Service(path, load(path), Notifier("", ""))
        async with asyncio.TaskGroup() as group:
            running = group.create_task(service.run())
            await service.ready.wait()
            at = service.started_at
            with (tmp_path / "auth.log").open("ab") as log:
                log.writelines(ssh_lines(WAVES[0], at, "web-1"))
            with (tmp_path / "audit.log").open("ab") as log:
                log.writelines(audit_lines(WAVES[0], at))
            await wait_until(service, {"Reverse shell", "SSH login after repeated failures"}, receiver)
            async with aiohttp.ClientSession() as session:
                async with session.get(f"http://127.0.0.1:{api}/readyz") as response:
                    assert response.status == 200
                async with session.get(f"http://127.0.0.1:{api}/api/v1/incidents") as response:
                    listed = json.loads(await response.text())
            assert len(listed["incidents"]) >= 2

            path.write_text("graze: 1\n")
            with pytest.raises(ProblemsError):
                await service.reload()
            assert service.ready.is_set()

            path.write_text(CONFIG.format(top=tmp_path, port=receiver.port, api=api).replace("ops", "desk"))
            assert any("webhooks" in said for said in await service.reload())
            webhooks = {row.component for row in service.board.rows() if row.component.startswith("webhook:")}
            assert webhooks <= {"webhook:desk"}
            service.stop()
        assert running.result() == 0
    assert receiver.refused == 0


def test_a_change_is_described_in_words(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("alerts: {deadline: 1s}\n")
    (tmp_path / "b.yaml").write_text("alerts: {deadline: 2s}\nrules: {disabled: [Reverse shell]}\n")
    before, after = load(tmp_path / "a.yaml"), load(tmp_path / "b.yaml")

    said = describe_change(before, after)

    assert "alerts changed" in said
    assert describe_change(before, before) == []


async def test_ending_nothing_is_fine() -> None:
    await end([])


class Impatient(Service):
    """Told to stop while it is still building what it is to run."""

    async def _build(self, around: Surroundings) -> Runtime:
        runtime = await super()._build(around)
        self.stop()
        return runtime


async def test_a_stop_during_the_start_is_not_lost(tmp_path: Path) -> None:
    service = Impatient(None, quiet(tmp_path), Notifier("", ""))

    async with asyncio.timeout(20):
        assert await service.run() == 0


async def test_reloads_at_once_are_made_one_after_the_other(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    first = quiet(tmp_path)
    service = Service(path, first, Notifier("", ""))
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        running = group.create_task(service.run())
        await service.ready.wait()
        for host in ("two", "three"):
            path.write_text(path.read_text().replace("host: ", f"host: {host}-"))
            group.create_task(service.reload())
            await asyncio.sleep(0)
        await service.reload()
        assert service.runtime is not None
        assert service.runtime.config is service.config
        assert service.config.host.startswith("three-two-")
        service.stop()
    assert running.result() == 0


def quiet(directory: Path) -> Loaded:
    """A configuration without anything to watch or to tell."""
    (directory / "config.yaml").write_text(
        f"host: web-1\nstate_directory: {directory}/state\nmemory: {{mode: 'off'}}\nmodel: {{mode: 'off'}}\n"
        "api: {enabled: false}\n"
    )
    return load(directory / "config.yaml")
