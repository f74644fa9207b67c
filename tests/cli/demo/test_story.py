import io
import json

from rich.console import Console

from daemon.cli.demo.story import show
from daemon.delivery.formats.standard import render
from tests.doubles.values import an_alert


def test_an_alert_is_told_with_what_where_why_and_evidence() -> None:
    out = io.StringIO()

    show(Console(file=out, width=100), json.loads(render(an_alert(because="[bold]text[/bold] of a log"))), 0.05)

    show(Console(file=out, width=100), json.loads(render(an_alert())), 0.05, "ollama is not reachable")
    text = out.getvalue()
    assert text.count("no explanation by a model: ollama is not reachable") == 1
    for part in ("Download piped to a shell", "web-1", "[bold]text[/bold]", "E1", "0.05 s after"):
        assert part in text
