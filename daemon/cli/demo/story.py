"""One received alert, printed for a person: what, where, why in words, evidence, similar incidents, next steps."""

from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

_COLOURS = {"critical": "bold white on red", "high": "bold red", "medium": "bold yellow", "low": "cyan"}
_SHOWN, _STEPS = 3, 3  # evidence items and next steps; the alert itself has all
_REPEATED = 2


def _explained(data: dict[str, Any]) -> tuple[str, list[str]]:
    explanation = data["explanation"]
    by_model = explanation["origin"] == "model"
    # without a model the first two sentences say again what happened where, and because of what
    sentences = explanation["sentences"] if by_model else explanation["sentences"][_REPEATED:]
    label = f"why ({explanation['model'][:16]})" if by_model else "why"
    return label, [f"{one['text']} [{', '.join(one['cites'])}]" for one in sentences]


def _similar(data: dict[str, Any]) -> list[str]:
    return [f"{one['incident_id']} {one['title']}, {one['score']:.2f} alike: {one['why']}" for one in data["similar"]]


def _gaps(data: dict[str, Any], model: str) -> list[str]:
    if model and not data["gaps"] and data["explanation"]["origin"] != "model":
        return [f"no explanation by a model: {model}"]
    return [f"no {gap['part']}: {gap['why']}{'; ' + gap['detail'] if gap['detail'] else ''}" for gap in data["gaps"]]


def render(body: dict[str, Any], seconds: float, model: str = "") -> Panel:
    """A Standard Webhooks body of ours → a panel. Log text is shown as text, never as markup.

    `model` says what is wrong with the model, if something is: the alert itself says so only when it gave up on it.
    """
    data = body["data"]
    level = data["severity"]
    # the first item is the incident itself, which the rows above tell
    evidence = [f"{one['id']}  {one['text']}" for one in data["evidence"][1:] or data["evidence"]]
    if len(evidence) > _SHOWN:
        evidence = [*evidence[:_SHOWN], f"… and {len(evidence) - _SHOWN} more"]
    rows = Table.grid(padding=(0, 2))
    for label, texts in (
        ("where", [f"{data['host']} ({data['source']}), {data['entity']}; incident {data['incident']['id']}"]),
        ("because", [data["because"]]),
        _explained(data),
        ("evidence", evidence),
        ("similar", _similar(data)),
        ("gaps", _gaps(data, model)),
        ("next steps", [f"{number}. {step}" for number, step in enumerate(data["next_steps"][:_STEPS], 1)]),
    ):
        for number, text in enumerate(texts):
            rows.add_row(Text(label if number == 0 else "", "dim"), Text(text))
    techniques = " ".join(data["rule"]["techniques"])
    title = Text.assemble((f" {level} ", _COLOURS.get(level, "")), f" {data['title']} ", (techniques, "dim"))
    version = "first version" if data["version"] == 1 else f"version {data['version']} of the alert above"
    foot = f"{version}, signature verified, {seconds:.2f} s after its line was written"
    return Panel(Padding(rows, (0, 1)), title=title, title_align="left", subtitle=Text(foot, "dim"))


def show(console: Console, body: dict[str, Any], seconds: float, model: str = "") -> None:
    """Print one alert."""
    console.print(render(body, seconds, model))
