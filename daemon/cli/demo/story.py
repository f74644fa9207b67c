"""One received alert, printed for a person: what, where, why in words, evidence, similar incidents, next steps."""

from typing import Any

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.text import Text

_COLOURS = {"critical": "bold white on red", "high": "bold red", "medium": "bold yellow", "low": "cyan"}
_SHOWN = 4  # evidence items; the alert itself has all


def _row(label: str, text: str) -> Text:
    return Text.assemble((f"{label:<12}", "dim"), Text(text))


def _items(label: str, rows: list[str]) -> list[RenderableType]:
    return [_row(label if number == 0 else "", row) for number, row in enumerate(rows)]


def _explained(data: dict[str, Any]) -> list[RenderableType]:
    explanation = data["explanation"]
    origin = explanation["model"] if explanation["origin"] == "model" else "rules, no model"
    rows = [f"{one['text']} [{', '.join(one['cites'])}]" for one in explanation["sentences"]]
    return _items(f"why ({origin[:16]})" if origin == explanation["model"] else "why", rows)


def _similar(data: dict[str, Any]) -> list[str]:
    return [f"{one['incident_id']} {one['title']}, {one['score']:.2f} alike: {one['why']}" for one in data["similar"]]


def _gaps(data: dict[str, Any]) -> list[str]:
    return [f"no {gap['part']}: {gap['why']}{'; ' + gap['detail'] if gap['detail'] else ''}" for gap in data["gaps"]]


def render(body: dict[str, Any], seconds: float) -> Panel:
    """A Standard Webhooks body of ours → a panel. Log text is shown as text, never as markup."""
    data = body["data"]
    level = data["severity"]
    evidence = [f"{one['id']}  {one['text']}" for one in data["evidence"]]
    if len(evidence) > _SHOWN:
        evidence = [*evidence[:_SHOWN], f"… and {len(evidence) - _SHOWN} more"]
    rows: list[RenderableType] = [
        _row("where", f"{data['host']} ({data['source']}), {data['entity']}"),
        _row("because", data["because"]),
        *_explained(data),
        *_items("evidence", evidence),
        *_items("similar", _similar(data)),
        *_items("gaps", _gaps(data)),
        *_items("next steps", [f"{number}. {step}" for number, step in enumerate(data["next_steps"][:4], 1)]),
    ]
    techniques = " ".join(data["rule"]["techniques"])
    title = Text.assemble((f" {level} ", _COLOURS.get(level, "")), f" {data['title']} ", (techniques, "dim"))
    foot = f"version {data['version']}, signature verified, {seconds:.2f} s after its line was written"
    return Panel(Padding(Group(*rows), (0, 1)), title=title, title_align="left", subtitle=Text(foot, "dim"))


def show(console: Console, body: dict[str, Any], seconds: float) -> None:
    """Print one alert."""
    console.print(render(body, seconds))
