"""What is shipped around the program is true: example configurations, composition, image, and the install scripts."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, get_args

import jsonschema
import pytest
import yaml
from check_jsonschema.builtin_schemas import get_builtin_schema  # type: ignore[import-untyped]  # it ships no types
from pydantic import BaseModel

from daemon.config import Config, IntakeSource, JournalSource, default_config, load_config
from daemon.config.schema import FileSource, GpuSource, HostSource, Webhook

LOOPBACK = "127.0.0.1:"
PROXIED = {name: value for name, value in os.environ.items() if name.lower() != "no_proxy"} | {
    "http_proxy": "http://127.0.0.1:9",
    "HTTP_PROXY": "http://127.0.0.1:9",
}
"""An environment whose proxy nobody runs: what asks its own services must not go there."""
RUNNING = {"tellwhy", "qdrant", "ollama", "ollama-gpu-nvidia", "ollama-gpu-amd"}


def sections() -> Iterator[tuple[str, type[BaseModel]]]:
    """Every section of the configuration with the name under which it stands."""
    yield "", Config
    for name, field in Config.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield name, field.annotation
    for kind in (FileSource, HostSource, GpuSource, JournalSource, IntakeSource):
        yield "sources", kind
    yield "webhooks", Webhook


def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


def everything_on(text: str) -> str:
    """The example with every setting that is off switched on (prose has exactly one blank after its #).

    As the example's head says, a setting that is on just above one of the same key gives way to it.
    """
    lines: list[str] = []
    for line in text.splitlines():
        on = re.sub(r"^(\s*)#(?=\S|  )", r"\1", line)
        if on != line and lines and on.split(":")[0] == lines[-1].split(":")[0]:
            lines.pop()
        lines.append(on)
    return "\n".join(lines)


# the example configuration


def test_the_example_is_valid(repository: Path) -> None:
    config = load_config(repository / "examples" / "config.yaml")
    assert [source.name for source in config.sources] == ["audit", "auth", "host", "gpu"]


def test_the_example_gives_every_default(repository: Path) -> None:
    shown, default = load_config(repository / "examples" / "config.yaml"), Config()
    for name in Config.model_fields:
        if name != "sources":
            assert getattr(shown, name) == getattr(default, name), name
    for source in shown.sources:
        given = source.model_dump(exclude_unset=True)
        plain = type(source)(**{key: given[key] for key in ("type", "name", "path") if key in given})
        assert source.model_dump(exclude={"format"}) == plain.model_dump(exclude={"format"})


@pytest.mark.parametrize(("name", "section"), [pytest.param(n, s, id=s.__name__) for n, s in sections()])
def test_every_key_is_explained_in_the_example(repository: Path, name: str, section: type[BaseModel]) -> None:
    tree = yaml.safe_load(everything_on(text_of(repository / "examples" / "config.yaml")))
    here = tree if not name else tree[name]
    rows = here if isinstance(here, list) else [here]
    shown = {key for row in rows for key in row}
    missing = set(section.model_fields) - shown
    assert not missing


def test_the_example_with_everything_on_is_valid_too(repository: Path, tmp_path: Path) -> None:
    written = tmp_path / "config.yaml"
    text = everything_on(text_of(repository / "examples" / "config.yaml"))
    # of a webhook's address and its file exactly one may be given; both are shown
    written.write_text(text, encoding="utf-8")
    config = load_config(written)
    assert [hook.name for hook in config.webhooks] == ["siem", "slack"]
    assert config.webhooks[0] == Webhook(
        name="siem", url="https://alerts.example/tellwhy", secret_files=(Path("siem-secret"),)
    )
    assert config.rules.directories == ("shipped", "/etc/tellwhy/rules")
    assert config.api.token_file == Path("api-token")


def test_every_choice_is_named_in_the_example(repository: Path) -> None:
    text = text_of(repository / "examples" / "config.yaml")
    for _, section in sections():
        for key, field in section.model_fields.items():
            for choice in get_args(field.annotation):
                if isinstance(choice, str) and key != "type":
                    assert re.search(rf"\b{choice}\b", text), f"{key}: {choice}"


def test_the_usual_logs_of_a_debian_host_are_in_the_example(repository: Path) -> None:
    shown = {
        source.path
        for source in load_config(repository / "examples" / "config.yaml").sources
        if isinstance(source, FileSource)
    }
    usual = {source.path for source in default_config().sources if isinstance(source, FileSource)}
    assert "/var/log/audit/audit.log" in shown & usual


# the composition


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    text = text_of(Path(__file__).parent.parent / "docker-compose.yml")
    loaded: dict[str, Any] = yaml.safe_load(text)
    return loaded


def test_the_composition_follows_the_specification(compose: dict[str, Any]) -> None:
    jsonschema.validate(compose, get_builtin_schema("vendor.compose-spec"))


def test_nothing_is_published_but_on_loopback(compose: dict[str, Any]) -> None:
    published = {name: service.get("ports", []) for name, service in compose["services"].items()}
    assert published.pop("tellwhy") == ["127.0.0.1:${TELLWHY_PORT:-8787}:8787"]
    assert not any(published.values())
    assert all("network_mode" not in service for service in compose["services"].values())


def test_every_image_is_pinned(compose: dict[str, Any], repository: Path) -> None:
    images = {service["image"] for service in compose["services"].values()}
    images |= set(re.findall(r"^ARG PYTHON=(\S+)$", text_of(repository / "Dockerfile"), re.MULTILINE))
    assert len(images) == 5
    for image in images:
        assert image == "tellwhy:local" or re.search(r":v?\d+\.\d+\.\d+", image), image
    assert re.findall(r"^FROM (\S+)", text_of(repository / "Dockerfile"), re.MULTILINE) == ["${PYTHON}"] * 2


def test_the_server_fits_the_client(compose: dict[str, Any], repository: Path) -> None:
    """A Qdrant client warns when its server's minor version is more than one away."""
    client = [int(part) for part in importlib.metadata.version("qdrant-client").split(".")[:2]]
    found = re.search(r":v(\d+)\.(\d+)\.", compose["services"]["qdrant"]["image"])
    assert found
    assert int(found[1]) == client[0]
    assert abs(int(found[2]) - client[1]) <= 1


def test_every_service_that_runs_on_says_how_it_is(compose: dict[str, Any]) -> None:
    for name in RUNNING:
        test = compose["services"][name]["healthcheck"]["test"]
        assert test[0] == "CMD", name
    assert set(compose["services"]) == RUNNING | {"model-pull"}
    assert compose["services"]["model-pull"]["restart"] == "no"


def test_state_outlives_its_containers(compose: dict[str, Any]) -> None:
    for service, volume in (("tellwhy", "tellwhy:/var/lib/tellwhy"), ("qdrant", "qdrant:/qdrant/storage")):
        assert volume in compose["services"][service]["volumes"]
    for name in ("ollama", "ollama-gpu-nvidia", "ollama-gpu-amd"):
        assert compose["services"][name]["volumes"] == ["ollama:/root/.ollama"]
    assert set(compose["volumes"]) == {"tellwhy", "qdrant", "ollama"}


def test_what_is_the_hosts_is_read_only(compose: dict[str, Any]) -> None:
    for service in compose["services"].values():
        for volume in service.get("volumes", []):
            assert not volume.startswith(("/", ".")) or volume.endswith(":ro"), volume
    assert "/var/log:/var/log:ro" in compose["services"]["tellwhy"]["volumes"]


def test_one_profile_runs_one_ollama_under_one_name(compose: dict[str, Any]) -> None:
    by_profile = {
        "cpu": "ollama",
        "gpu-nvidia": "ollama-gpu-nvidia",
        "gpu-amd": "ollama-gpu-amd",
    }
    for profile, name in by_profile.items():
        service = compose["services"][name]
        assert service["profiles"] == [profile]
        reached = {name, *((service.get("networks") or {}).get("default", {}).get("aliases", []))}
        assert "ollama" in reached
        assert service["environment"]["OLLAMA_HOST"] == "0.0.0.0:11434"
    assert compose["services"]["model-pull"]["profiles"] == list(by_profile)
    (device,) = compose["services"]["ollama-gpu-nvidia"]["deploy"]["resources"]["reservations"]["devices"]
    assert (device["driver"], device["capabilities"]) == ("nvidia", ["gpu"])
    assert compose["services"]["ollama-gpu-amd"]["devices"] == ["/dev/kfd", "/dev/dri"]
    assert compose["services"]["ollama-gpu-amd"]["image"].endswith("-rocm")


def test_who_waits_for_whom(compose: dict[str, Any]) -> None:
    waits = compose["services"]["tellwhy"]["depends_on"]
    assert set(waits) == RUNNING - {"tellwhy"}
    for one in waits.values():
        assert one == {"condition": "service_started", "required": False}, "detection waits for no other service"
    for name in ("ollama", "ollama-gpu-nvidia", "ollama-gpu-amd"):
        assert compose["services"]["model-pull"]["depends_on"][name] == {
            "condition": "service_healthy",
            "required": False,
        }


def test_the_daemon_is_as_confined_as_under_systemd(compose: dict[str, Any], repository: Path) -> None:
    for name in ("tellwhy", "qdrant", "model-pull"):
        service = compose["services"][name]
        assert (service["read_only"], service["cap_drop"]) == (True, ["ALL"])
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert not any(service.get("privileged") for service in compose["services"].values())
    unit = text_of(repository / "systemd" / "tellwhy.service")
    assert "MemoryMax=2G" in unit
    assert compose["services"]["tellwhy"]["mem_limit"] == "2g"
    assert f"TasksMax={compose['services']['tellwhy']['pids_limit']}" in unit
    assert compose["networks"]["memory"] == {"internal": True}
    assert compose["services"]["qdrant"]["networks"] == ["memory"]


def test_the_environment_file_names_every_variable_and_no_other(repository: Path) -> None:
    named = set(re.findall(r"^([A-Z_]+)=", text_of(repository / ".env.example"), re.MULTILINE))
    used = set(re.findall(r"\$\{([A-Z_]+)", text_of(repository / "docker-compose.yml")))
    assert named == used | {"COMPOSE_PROFILES"}


def test_the_composed_configuration_fits_the_composition(compose: dict[str, Any], repository: Path) -> None:
    config = load_config(repository / "examples" / "compose-config.yaml")
    assert "./examples/compose-config.yaml:/etc/tellwhy/config.yaml:ro" in compose["services"]["tellwhy"]["volumes"]
    assert (config.model.url, config.model.allow_remote) == ("http://ollama:11434", True)
    assert (config.memory.mode, config.memory.url) == ("server", "http://qdrant:6333")
    assert config.api.listen.endswith(":8787")
    assert str(config.api.token_file) == "/run/secrets/api_token"
    assert compose["services"]["tellwhy"]["secrets"] == ["api_token"] == list(compose["secrets"])
    for source in config.sources:
        if isinstance(source, FileSource):
            assert source.path.startswith("/var/log/"), "only /var/log is mounted"


def test_secrets_are_not_committed(repository: Path) -> None:
    ignored = text_of(repository / ".gitignore").splitlines()
    assert {".env", "/secrets/"} <= set(ignored)


@contextmanager
def ollama(statuses: list[dict[str, Any]]) -> Iterator[tuple[str, list[Any]]]:
    """A server that answers /api/pull as Ollama does, one JSON object a line; its address, and what it was asked."""
    asked: list[Any] = []

    class Pull(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            asked.append((self.path, json.loads(self.rfile.read(int(self.headers["Content-Length"])))))
            self.send_response(200)
            self.end_headers()
            for status in statuses:
                self.wfile.write(json.dumps(status).encode() + b"\n")

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Pull)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.mark.parametrize(
    ("statuses", "code", "said"),
    [
        (
            [
                {"status": "pulling manifest"},
                {"status": "pulling 3a1f", "total": 9, "completed": 1},
                {"status": "pulling 3a1f", "total": 9, "completed": 9},
                {"status": "success"},
            ],
            0,
            "pulling manifest\npulling 3a1f\nsuccess\n",
        ),
        (
            [{"status": "pulling manifest"}, {"error": "pull model manifest: file does not exist"}],
            1,
            "pulling manifest\npull model manifest: file does not exist\n",
        ),
        ([], 1, ""),
    ],
)
def test_the_configured_model_is_pulled_once(
    compose: dict[str, Any], repository: Path, tmp_path: Path, statuses: list[dict[str, Any]], code: int, said: str
) -> None:
    service = compose["services"]["model-pull"]
    _, *arguments = service["entrypoint"]
    with ollama(statuses) as (url, asked):
        text = text_of(repository / "examples" / "compose-config.yaml").replace("http://ollama:11434", url)
        written = tmp_path / "config.yaml"
        written.write_text(text, encoding="utf-8")
        assert service["command"] == ["/etc/tellwhy/config.yaml"]
        done = subprocess.run(
            [sys.executable, *arguments, written],
            check=False,
            cwd=repository,
            capture_output=True,
            text=True,
            env=PROXIED,
        )
    assert (done.returncode, done.stdout) == (code, said), done.stderr
    assert asked == [("/api/pull", {"model": load_config(repository / "examples" / "compose-config.yaml").model.name})]


# the image


def test_everything_the_image_copies_is_there_and_reaches_it(repository: Path) -> None:
    text = text_of(repository / "Dockerfile")
    copied = [path for line in re.findall(r"^COPY (?!--)(.*) \S+$", text, re.MULTILINE) for path in line.split()]
    assert copied
    let_through = {line[1:] for line in text_of(repository / ".dockerignore").splitlines() if line.startswith("!")}
    for path in copied:
        assert (repository / path).exists(), path
    assert set(copied) == let_through


def test_the_image_has_what_the_wheel_is_made_of(repository: Path) -> None:
    let_through = text_of(repository / ".dockerignore")
    for name in re.findall(r'^"(\w+)" = "daemon/_shipped', text_of(repository / "pyproject.toml"), re.MULTILINE):
        assert f"\n!{name}\n" in let_through


def test_the_image_runs_as_nobody_and_says_how_it_is(repository: Path, compose: dict[str, Any]) -> None:
    text = text_of(repository / "Dockerfile")
    final = text.rpartition("\nFROM ")[2]
    assert re.findall(r"^USER (\S+)$", final, re.MULTILINE) == ["10001:10001"]
    assert final.index("USER 10001") < final.index("ENTRYPOINT")
    (command,) = re.findall(r"^    CMD (\[.*\])$", final, re.MULTILINE)
    assert json.loads(command) == compose["services"]["tellwhy"]["healthcheck"]["test"][1:]
    assert 'ENTRYPOINT ["/opt/tellwhy/bin/tellwhy"]' in final
    assert 'CMD ["run", "--config", "/etc/tellwhy/config.yaml"]' in final


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1)])
def test_the_health_check_tells_well_from_ill(compose: dict[str, Any], status: int, code: int) -> None:
    class Health(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status if self.path == "/healthz" else 404)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Health)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    _, _, flag, program = compose["services"]["tellwhy"]["healthcheck"]["test"]
    try:
        done = subprocess.run(
            [sys.executable, flag, program.replace("8787", str(server.server_port))],
            check=False,
            capture_output=True,
            env=PROXIED,
        )
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    assert done.returncode == code


# the install scripts and the unit's files


def test_the_debian_packages_are_no_failure_without_apt(repository: Path, tmp_path: Path) -> None:
    """On another distribution, and for somebody who is not root, the script says what is skipped and succeeds."""
    script = repository / ".ci" / "debian-packages.sh"
    assert os.access(script, os.X_OK)
    for name in ("id", "grep"):
        (tmp_path / name).symlink_to(f"/usr/bin/{name}")
    done = subprocess.run(["/bin/sh", script], check=False, capture_output=True, text=True, env={"PATH": str(tmp_path)})
    assert done.returncode == 0, done.stderr
    assert "no apt here" in done.stdout


def test_the_unit_names_what_the_other_files_make(repository: Path) -> None:
    unit = text_of(repository / "systemd" / "tellwhy.service")
    users = text_of(repository / "systemd" / "tellwhy.sysusers")
    files = text_of(repository / "systemd" / "tellwhy.tmpfiles")
    assert "User=tellwhy\n" in unit
    assert 'u tellwhy - "tellwhy daemon" /var/lib/tellwhy' in users
    assert "StateDirectory=tellwhy\nStateDirectoryMode=0700\n" in unit
    assert "d /etc/tellwhy 0750 root tellwhy -" in files
    for line in (
        "Type=notify",
        "WatchdogSec=60s",
        "ExecReload=/bin/kill -HUP $MAINPID",
        "ExecStart=/opt/tellwhy/bin/tellwhy run --config /etc/tellwhy/config.yaml",
        "StartLimitIntervalSec=0",
        "Restart=always",
        "RestartPreventExitStatus=2",
        "OOMPolicy=continue",
    ):
        assert f"\n{line}\n" in unit
