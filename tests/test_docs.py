"""What the documents say is true: examples run, tables match the code, tests that are named exist, links lead somewhere."""

import ast
import json
import re
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from daemon.api.app import ROUTES
from daemon.assembly import build_flow
from daemon.cli.app import app
from daemon.config import Config, load_config, read_rule_files
from daemon.delivery.formats.standard import render
from daemon.detection.rules import parse_rules
from daemon.enrichment.redact import Redactor
from daemon.enrichment.template import base_alert
from daemon.events.readers import build_reader
from daemon.model import Checkpoint, Lines, Position
from daemon.rule_samples import run_samples
from daemon.telemetry import Metrics

REPOSITORY = Path(__file__).parent.parent
DOCUMENTS = sorted([REPOSITORY / "README.md", REPOSITORY / "rules" / "README.md", *(REPOSITORY / "docs").glob("*.md")])
COUNTING = ("README.md", "CHANGELOG.md", "docs/rules.md")
AUDIT_LOG = "/var/log/audit/audit.log"
MADE_AT = 1_795_260_005.1
STANDARD = set(sys.stdlib_module_names)


def text_of(name: str) -> str:
    return (REPOSITORY / name).read_text(encoding="utf-8")


def block(name: str, label: str) -> str:
    """The one fenced block whose fence says `label`."""
    (found,) = re.findall(rf"^```{label}\n(.*?)^```$", text_of(name), re.DOTALL | re.MULTILINE)
    return str(found)


def table(name: str, heading: str, number: int = 0) -> list[list[str]]:
    """The cells of one of the tables below a heading, without its head."""
    below = text_of(name).split(f"\n## {heading}\n", 1)[1].split("\n## ", 1)[0]
    tables = [part for part in below.split("\n\n") if part.strip().startswith("|")]
    rows = tables[number].strip().splitlines()
    return [[cell.strip() for cell in row.strip("|").split(" | ")] for row in rows[2:]]


def is_part(part: Any, whole: Any) -> bool:
    """Whether `part` is what is left of `whole` when keys and items are left out."""
    if isinstance(part, dict) and isinstance(whole, dict):
        return all(key in whole and is_part(value, whole[key]) for key, value in part.items())
    if isinstance(part, list) and isinstance(whole, list):
        rest = iter(whole)
        return all(any(is_part(one, other) for other in rest) for one in part) and (bool(part) or not whole)
    return bool(part == whole)


def told(log: bytes) -> list[Any]:
    """The bodies of the base alerts that these audit records cause on a host named web-1."""
    redactor = Redactor()
    reader = build_reader(
        "audit", "auditd", host="web-1", now=lambda: MADE_AT, redact=redactor.text,
        usernames=lambda uid: {33: "www-data"}.get(uid, str(uid)),
    )  # fmt: skip
    flow = build_flow(Config(host="web-1"), parse_rules(read_rule_files(["shipped"])), {"audit": reader}, redactor)
    end = Checkpoint("audit", Position(AUDIT_LOG, "1:1", len(log)))
    outcomes = [flow.feed(Lines("audit", log, Position(AUDIT_LOG, "1:1", 0), end)), flow.tick(MADE_AT + 60)]
    changes = [change for outcome in outcomes for change in outcome.changes if change.decision.notifies]
    return [json.loads(render(base_alert(one.incident, one.decision, version=1, now=MADE_AT))) for one in changes]


# README.md


def test_the_readme_fits_two_hundred_lines() -> None:
    assert len(text_of("README.md").splitlines()) <= 200


def test_what_was_written_becomes_what_is_shown() -> None:
    before, after = block("README.md", "text before"), json.loads(block("README.md", "json after"))

    bodies = {body["data"]["title"]: body for body in told(before.encode())}

    assert is_part(after, bodies[after["data"]["title"]]), json.dumps(bodies[after["data"]["title"]], indent=1)


def test_the_comparison_sees_differences() -> None:
    assert is_part({"a": [1, 3]}, {"a": [1, 2, 3], "b": 0})
    different: list[dict[str, Any]] = [{"a": [3, 1]}, {"a": []}, {"c": 0}, {"a": [1, 2, 3], "b": 1}]
    for part in different:
        assert not is_part(part, {"a": [1, 2, 3], "b": 0})


def test_the_configuration_is_valid(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text(block("README.md", "yaml config"))

    config = load_config(tmp_path / "config.yaml")

    assert [source.name for source in config.sources] == ["audit", "auth", "host"]
    assert [hook.name for hook in config.webhooks] == ["siem"]


def test_the_rule_does_what_its_samples_say() -> None:
    results = run_samples(
        {"vault.yml": block("README.md", "yaml rule")}, {"vault.samples.yml": block("README.md", "yaml samples")}
    )

    assert [(result.hits, result.wrong) for result in results] == [(True, ""), (False, "")]


def test_our_rules_are_counted() -> None:
    ours = sum(rule.fires for rule in parse_rules(read_rule_files(["shipped"])).rules)

    told = re.findall(
        r"(\d+) of ours|our (\d+) rules|(\d+) rules that fire|(\d+) of our own", "".join(map(text_of, COUNTING))
    )

    assert {int("".join(one)) for one in told} == {ours}
    assert len(told) >= len(COUNTING)


def test_every_command_is_told() -> None:
    rows = {re.findall(r"`tellwhy (\w+)`", row[0])[0]: row[1] for row in table("README.md", "Operate")}
    groups = {group.name: group.typer_instance for group in app.registered_groups if group.typer_instance is not None}

    assert rows.keys() == {command.name for command in app.registered_commands} | groups.keys()
    for name, group in groups.items():
        assert name is not None
        told = re.findall(r"`(\w+)[^`]*`", rows[name])
        assert told == [command.name for command in group.registered_commands]


def test_every_route_is_told() -> None:
    shown = set(re.findall(r"`(/(?:api/v1/[\w{}/.-]+|healthz|readyz|metrics))`", text_of("README.md")))

    assert shown == {route.path for route in ROUTES}


@pytest.mark.parametrize("figure", table("README.md", "Speed"), ids=str)
def test_every_figure_has_its_command(figure: list[str]) -> None:
    script = re.findall(r"bench/\w+\.py", figure[-1])

    assert script, figure
    assert (REPOSITORY / script[0]).is_file()


# docs/operations.md


def test_every_metric_is_told_with_its_kind_and_labels() -> None:
    rows = {
        re.sub("`", "", row[0]): (row[1], re.findall(r"`(\w+)`", row[2]))
        for row in table("docs/operations.md", "Metrics")
    }
    metrics = {}
    for metric in vars(Metrics()).values():
        if hasattr(metric, "_labelnames"):
            suffix = "_total" if metric._type == "counter" else ""
            metrics[metric._name + suffix] = (metric._type, list(metric._labelnames))

    assert rows == metrics


def test_each_failure_names_a_test_that_is_there() -> None:
    tested = {
        row[0]: re.findall(r"`([\w/]+\.py)::(\w+)`", row[1]) for row in table("docs/operations.md", "When things fail")
    }

    assert list(tested) == [row[0] for row in table("README.md", "When things fail")]
    for what, tests in tested.items():
        assert tests, what
        for path, name in tests:
            tree = ast.parse(text_of(path))
            functions = {
                node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
            }
            assert name in functions, f"{what}: no {name} in {path}"


# all of them


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: str(path.relative_to(REPOSITORY)))
def test_links_lead_somewhere(document: Path) -> None:
    for target in re.findall(r"\]\((?!https?:)([^)#]+)\)", document.read_text(encoding="utf-8")):
        assert (document.parent / target).exists(), target


def test_every_dependency_has_its_reason() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    wanted = [*project["dependencies"], *project["optional-dependencies"]["dev"]]
    names = {re.split(r"[^\w.-]", one)[0].lower() for one in wanted}

    rows = re.findall(r"^\| ([^|]+) \|", text_of("docs/dependencies.md"), re.MULTILINE)
    told = {name.lower() for row in rows for name in re.findall(r"[\w.-]+", row)}

    assert names <= told, names - told


def test_every_import_is_a_dependency_that_is_named() -> None:
    project = tomllib.loads(text_of("pyproject.toml"))["project"]
    named = {re.split(r"[^\w.-]", one)[0].lower().replace("-", "_") for one in project["dependencies"]}
    called = {
        "google_re2": "re2",
        "nvidia_ml_py": "pynvml",
        "pysigma": "sigma",
        "pyyaml": "yaml",
        "qdrant_edge_py": "qdrant_edge",
    }
    modules = {called.get(name, name) for name in named}
    for path in (REPOSITORY / "daemon").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                top = name.split(".", maxsplit=1)[0]
                assert top in STANDARD | modules | {"daemon"}, f"{path}: {top}"
