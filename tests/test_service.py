"""The process in one piece: a line becomes a stored incident and a delivered alert, a reload keeps what it refuses."""

import asyncio
import json
from pathlib import Path

import aiohttp
import pytest

from daemon.cli.demo.receiver import Receiver
from daemon.cli.demo.scenario import WAVES, audit_lines, ssh_lines
from daemon.cli.demo.stage import free_port, new_secret
from daemon.loading import Loaded, load
from daemon.model import ProblemsError
from daemon.rules_watch import RuleFiles
from daemon.runtime import Runtime, Surroundings
from daemon.sd_notify import Notifier
from daemon.service import Service
from daemon.supervisor import end
from daemon.telemetry import HealthState

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
            assert (await service.reload()).words() == ("configuration: webhooks.ops removed, webhooks.desk added",)
            webhooks = {row.component for row in service.board.rows() if row.component.startswith("webhook:")}
            assert webhooks <= {"webhook:desk"}
            service.stop()
        assert running.result() == 0
    assert receiver.refused == 0


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


RULE = """title: {title}
logsource: {{product: linux, category: process_creation}}
detection: {{selection: {{Image|endswith: /sh}}, condition: selection}}
"""


async def test_what_is_unwise_is_counted_and_what_waits_for_a_start_is_told(tmp_path: Path) -> None:
    path, rules = tmp_path / "config.yaml", tmp_path / "rules"
    rules.mkdir()
    (rules / "a.yml").write_text(RULE.format(title="A"))  # it has no id
    quiet(tmp_path)
    good = path.read_text() + f"rules: {{directories: [{rules}]}}\nsources: []\n"
    path.write_text(good)
    service = Service(path, load(path), Notifier("", ""))
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(service.run())
        await service.ready.wait()
        row = service.board.get("rules")
        assert row is not None
        assert (row.state, row.detail) == (HealthState.ok, "1 warning: tellwhy check")
        assert service.metrics.registry.get_sample_value("tellwhy_rule_warnings") == 1

        path.write_text(good.replace("enabled: false", f"enabled: false, listen: '127.0.0.1:{free_port()}'"))
        assert (await service.reload()).at_next_start == ("api",)
        path.write_text(good)
        assert (await service.reload()).words() == ("configuration: api.listen changed",)
        service.stop()


async def test_what_is_refused_is_shown_until_exactly_that_is_mended(tmp_path: Path) -> None:
    path, rules = tmp_path / "config.yaml", tmp_path / "rules"
    rules.mkdir()
    (rules / "a.yml").write_text(RULE.format(title="A"))
    quiet(tmp_path)
    good = path.read_text() + f"rules: {{directories: [{rules}]}}\n"
    path.write_text(good)
    service = Service(path, load(path), Notifier("", ""))

    def degraded() -> list[str]:
        return [row.component for row in service.board.rows() if row.state is HealthState.degraded]

    def files(**texts: str) -> RuleFiles:
        found = {f"{rules}/{name}.yml": text for name, text in texts.items()}
        return RuleFiles(service.config, found, (), "".join(texts))

    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(service.run())
        await service.ready.wait()
        (rules / "a.yml").write_text("title: [")
        with pytest.raises(ProblemsError):
            await service.reload()
        assert degraded() == ["rules"]
        service.keep_rules()
        assert degraded() == []

        path.write_text(good.replace("web-1", "web-2"))
        with pytest.raises(ProblemsError):
            await service.reload()
        assert degraded() == ["config"]
        with pytest.raises(ProblemsError):
            await service.take_rules(files(a="title: ["))
        assert degraded() == ["config", "rules"]
        assert [rule.ref.title for rule in service.rules.rules] == ["A"]

        changes = await service.take_rules(files(a=RULE.format(title="B"), c=RULE.format(title="C")))
        assert changes.words() == ("rules added: B, C", "rules removed: A")
        assert (degraded(), service.config.host) == (["config"], "web-1")
        assert service.metrics.registry.get_sample_value("tellwhy_config_reload_success") == 0

        (rules / "a.yml").write_text(RULE.format(title="B"))
        (rules / "c.yml").write_text(RULE.format(title="C"))
        assert (await service.reload()).words() == ("configuration: host changed",)
        assert (degraded(), service.config.host) == ([], "web-2")
        assert service.metrics.registry.get_sample_value("tellwhy_config_reload_success") == 1
        service.stop()


async def test_files_of_a_configuration_that_is_no_longer_in_force_are_not_taken(tmp_path: Path) -> None:
    service = Service(None, quiet(tmp_path), Notifier("", ""))
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        group.create_task(service.run())
        await service.ready.wait()
        before = service.rules
        found = RuleFiles(load(tmp_path / "config.yaml").config, {"a.yml": RULE.format(title="A")}, (), "x")
        assert (await service.take_rules(found)).words() == ()
        assert service.rules is before
        service.stop()


def quiet(directory: Path) -> Loaded:
    """A configuration without anything to watch or to tell."""
    (directory / "config.yaml").write_text(
        f"host: web-1\nstate_directory: {directory}/state\nmemory: {{mode: 'off'}}\nmodel: {{mode: 'off'}}\n"
        "api: {enabled: false}\n"
    )
    return load(directory / "config.yaml")
