"""The plan of the house, checked: import direction, fences, purity, names, sizes, one test file per module."""

import ast
import importlib.metadata
from collections.abc import Iterator
from pathlib import Path

import pytest

import daemon
from daemon.telemetry import Metrics, Says

ROOT = Path(daemon.__file__).parent
REPOSITORY = ROOT.parent
STAGES = {"sources", "events", "detection", "enrichment", "delivery"}
LAYERS: tuple[set[str], ...] = (
    {"model", "channel", "backoff", "garbage", "side_thread"},
    {"config", "telemetry"},
    {"state"},
    STAGES | {"supervisor", "sd_notify"},
    {"flow", "api", "batch"},
    {"pipeline", "rule_samples", "loop_lag", "meters", "running_processes", "selection", "assembly", "audit_sight"},
    {"inputs", "other_records"},
    {"runtime", "usernames"},
    {"memories", "endpoint", "preflight"},
    {"loading"},
    {"changes", "rules_watch", "rule_notice"},
    {"service"},
    {"cli"},
    {"__main__"},
)
RANK = {name: rank for rank, layer in enumerate(LAYERS) for name in layer}
FENCES: dict[str, tuple[str, ...]] = {
    "aiohttp": (
        "api",
        "service",
        "endpoint",
        "runtime",
        "delivery",
        "enrichment.ollama",
        "cli.demo",
        "cli.symptoms",
    ),
    "sqlite3": ("state",),
    "yaml": ("config", "detection.rules", "rule_samples"),
    "sigma": ("detection",),
    "torch": ("enrichment.embedding",),
    "sentence_transformers": ("enrichment.embedding",),
    "qdrant_edge": ("enrichment.memory_worker",),
    "qdrant_client": ("enrichment.memory_server",),
    "watchdog": ("sources",),
    "psutil": ("sources", "cli", "running_processes"),
    "pynvml": ("sources", "cli"),
    "structlog": ("telemetry",),
    "prometheus_client": ("telemetry", "api"),
    "pydantic": ("config",),
    "typer": ("cli",),
    "rich": ("cli",),
    "signal": ("service", "cli", "enrichment.memory_worker"),
}
PURE = {
    "events": None,
    "detection": None,
    "enrichment": {
        "prompt",
        "grounding",
        "redact",
        "template",
        "evidence",
        "plain",
        "secret_patterns",
        "command_secrets",
        "event_words",
        "attack_words",
        "answer_json",
        "hard_values",
        "claims",
        "masking",
        "resemblance",
        "breaker",
    },
    "flow": None,
    "model": None,
    "backoff": None,
}
IMPURE_MODULES = {
    "asyncio",
    "time",
    "os",
    "socket",
    "subprocess",
    "threading",
    "random",
    "logging",
    "structlog",
    "pathlib",
    "shutil",
}
IMPURE_EXCEPTIONS: dict[str, set[str]] = {}
BANNED_NAMES = {"utils", "util", "helpers", "common", "misc", "base", "core", "manager", "handlers", "types"}
MODULES = sorted(path for path in ROOT.rglob("*.py") if "_shipped" not in path.parts)
SHARED = "daemon"


def dotted(path: Path) -> str:
    """The module name below the package: events/auditd.py → events.auditd."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" and len(parts) > 1 else parts)


def imports(path: Path) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: expected absolute imports"
            yield node.module or "", node.lineno
            if node.module in {
                SHARED,
                *(f"{SHARED}.{stage}" for stage in STAGES | {"state", "api", "config"}),
            }:
                for alias in node.names:
                    yield f"{node.module}.{alias.name}", node.lineno


def top(name: str) -> str:
    return name.split(".", maxsplit=1)[0]


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_imports_point_down_the_layers(path: Path) -> None:
    me = dotted(path)
    for name, line in imports(path):
        if not name.startswith(f"{SHARED}.") or me == "__init__":
            continue
        target = top(name.removeprefix(f"{SHARED}."))
        if target == top(me) or target == "__version__":
            continue
        where = f"{path}:{line}: {me} imports {name}"
        assert target in RANK, f"{where}: a module of no layer"
        assert not (top(me) in STAGES and target in STAGES), f"{where}: stages never import one another"
        assert RANK[target] < RANK[top(me)], f"{where}: imports point downwards"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_stages_see_only_the_contract_of_the_state(path: Path) -> None:
    if top(dotted(path)) not in STAGES | {"api"}:
        return
    modules = {p.stem for p in (ROOT / "state").glob("*.py")}
    for name, line in imports(path):
        hidden = name.startswith(f"{SHARED}.state.") and name.split(".")[2] in modules
        assert not hidden, f"{path}:{line}: expected only daemon.state (got {name})"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_third_parties_stay_behind_their_fences(path: Path) -> None:
    me = dotted(path)
    for name, line in imports(path):
        allowed = FENCES.get(top(name))
        if allowed is None:
            continue
        inside = any(me == fence or me.startswith((f"{fence}.", f"{fence}_")) for fence in allowed)
        assert inside, f"{path}:{line}: {top(name)} is fenced to {allowed}"


def test_torch_is_imported_only_when_first_needed() -> None:
    tree = ast.parse((ROOT / "enrichment" / "embedding.py").read_text(encoding="utf-8"))
    for node in tree.body:
        names = [a.name for a in node.names] if isinstance(node, ast.Import) else [getattr(node, "module", "") or ""]
        assert not {top(n) for n in names} & {"torch", "sentence_transformers"}, (
            "importing torch costs 5.7 s: do it inside"
        )


def is_pure(me: str) -> bool:
    if top(me) not in PURE:
        return False
    only = PURE[top(me)]
    return only is None or me.rsplit(".", maxsplit=1)[-1] in only


@pytest.mark.parametrize("path", [p for p in MODULES if is_pure(dotted(p))], ids=dotted)
def test_the_core_holds_still(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for name, line in imports(path):
        banned = top(name) in IMPURE_MODULES - IMPURE_EXCEPTIONS.get(dotted(path), set())
        assert not banned, f"{path}:{line}: no clock, file or log here (got {name})"
    for node in ast.walk(tree):
        assert not isinstance(node, ast.Await | ast.AsyncFunctionDef | ast.AsyncFor), (
            f"{path}:{getattr(node, 'lineno', 0)}: no await here"
        )
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "print", "input"}, f"{path}:{node.lineno}: no file here"


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_names_say_what_a_module_is(path: Path) -> None:
    assert path.stem not in BANNED_NAMES


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_files_and_functions_fit_on_a_page(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 300, f"{path}: a better shape, not an exception"
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            assert node.end_lineno - node.lineno + 1 <= 40, f"{path}:{node.lineno}: {node.name} is over 40 lines"


@pytest.mark.parametrize("path", [p for p in MODULES if p.stem not in {"__init__", "__main__"}], ids=dotted)
def test_every_module_has_its_test_file(path: Path) -> None:
    relative = path.relative_to(ROOT)
    assert (REPOSITORY / "tests" / relative.parent / f"test_{relative.name}").is_file()


@pytest.mark.parametrize("path", MODULES, ids=dotted)
def test_every_module_says_what_it_is(path: Path) -> None:
    assert ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))), f"{path}: expected a module docstring"


def test_log_events_are_declared() -> None:
    """Every call of the logger names a member of Says."""
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
                continue
            on_log = isinstance(node.func.value, ast.Name) and node.func.value.id in {"log", "_log"}
            if on_log and node.func.attr in {"debug", "info", "warning", "error", "exception", "critical"}:
                first = node.args[0] if node.args else None
                declared = (
                    isinstance(first, ast.Attribute) and isinstance(first.value, ast.Name) and first.value.id == "Says"
                )
                assert declared, f"{path}:{node.lineno}: expected a member of Says as the log event"


def test_the_imported_package_is_ours() -> None:
    """PyPI's python-daemon also installs an import package called daemon."""
    assert daemon.__version__ == importlib.metadata.version("tellwhy")


def test_tests_use_no_mocks_and_do_not_sleep() -> None:
    for path in sorted((REPOSITORY / "tests").rglob("*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                assert node.module != "unittest.mock", f"{path}:{node.lineno}"
            if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "sleep"):
                continue
            arg = node.args[0] if node.args else None
            constant = isinstance(arg, ast.Constant) and arg.value == 0
            allowed = "system" in path.parts or "doubles" in path.parts or "faults" in path.parts
            assert constant or allowed, f"{path}:{node.lineno}: tests never sleep"


def test_every_declared_event_and_metric_is_used() -> None:
    telemetry = ROOT / "telemetry.py"
    used = {
        node.attr
        for path in MODULES
        if path != telemetry
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
    }
    metrics = {name for name, value in vars(Metrics()).items() if hasattr(value, "_labelnames")}

    assert set(Says.__members__) | metrics <= used
