"""`tellwhy rules`: which rules there are, what one of them means, and whether they find what their samples say."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from daemon.cli.failing import BAD_INPUT, refuse
from daemon.cli.rules.card import brief, card, state_of, whole
from daemon.cli.rules.catalogue import Catalogue, Entry, read_catalogue
from daemon.cli.rules.trial import Trial, as_json, complaint, scope_of, try_samples
from daemon.cli.run import ConfigOption, chosen_config
from daemon.config import Config, default_config, load_config, read_rule_files
from daemon.detection.wording import visible
from daemon.model import Problem, ProblemsError
from daemon.rule_samples import read_sample_files
from daemon.rule_samples.reading import RuleSample, read_samples

_FAILED = 1
_MOST = 20
_BRIEF_ID = 8
"""Characters of an id that a terminal shows: enough for `show`."""
_WIDEST = 1000
app = typer.Typer(
    help="List rules, show what one of them means, play their samples.", no_args_is_help=True, rich_markup_mode=None
)
RulesOption = Annotated[
    list[str] | None,
    typer.Option("--rules", help="A directory or file of rules, in place of the configured ones; repeatable."),
]


class _Chosen:
    """The configuration, and the places of rules: those given, else the configured ones."""

    def __init__(self, config: Path | None, rules: list[str] | None) -> None:
        self.path = chosen_config(config)
        self.config: Config = load_config(self.path) if self.path else default_config()
        self.given = bool(rules)
        self.places = rules or list(self.config.rules.directories)

    def catalogue(self) -> Catalogue:
        """Every rule there. What cannot be used is said on stderr and left out. Raises OSError, ValueError for none."""
        found = read_catalogue(self.config, self.path, read_rule_files(self.places))
        _complain(one for one in found.problems if not (self.given and one.key == "rules.disabled"))
        if not found.entries:
            message = f"expected Sigma rules in {', '.join(self.places)} (got none that can be used)"
            raise ValueError(message)
        return found


def _complain(problems: Iterable[Problem]) -> None:
    for problem in problems:
        typer.echo(str(problem), err=True)


@app.command("list", short_help="List all rules, with those that are off.")
def list_rules(
    config: ConfigOption = None,
    rules: RulesOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON array of objects.")] = False,
) -> None:
    """List all rules: those that are off, correlations, and building blocks (which only count for others) too.

    With --json each is an object of id, title, level, logsource, techniques, author, path and enabled (false where
    rules.disabled names it). The logsource has product, category and service, null where the rule names none; that of a
    correlation is what the rules that it is built upon have in common. Exit code 2 for bad input; a rule that cannot be
    used is said on stderr, and the others are listed.
    """
    try:
        catalogue = _Chosen(config, rules).catalogue()
    except (ProblemsError, OSError, ValueError) as error:
        refuse(error)
    if as_json:
        typer.echo(json.dumps([brief(catalogue, entry) for entry in catalogue.entries], indent=1))
        return
    console = Console(highlight=False, markup=False, emoji=False)
    if not console.is_terminal:
        console = Console(highlight=False, markup=False, emoji=False, width=_WIDEST)  # a line of a pipe has no end
    with console.capture() as captured:
        console.print(_table(catalogue, brief_ids=console.is_terminal))
    typer.echo("\n".join(line.rstrip() for line in captured.get().splitlines()).strip("\n"))


def _table(catalogue: Catalogue, *, brief_ids: bool) -> Table:
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for head in ("title", "level", "looks at", "techniques", "state", "id"):
        table.add_column(head, no_wrap=head in {"level", "id"}, overflow="fold")
    for entry in catalogue.entries:
        source, ref = catalogue.logsource(entry), entry.rule.ref
        looks = source.category or source.service or source.product or "anything"
        kind = f"correlation of {looks}" if entry.rule.correlation is not None else looks
        name = ref.id[:_BRIEF_ID] if brief_ids else ref.id
        row = (ref.title, ref.severity.name, kind, " ".join(ref.techniques), state_of(catalogue, entry), name)
        table.add_row(*(Text(visible(text)) for text in row))
    return table


@app.command("show", short_help="Show what a rule is, and what makes it fire, in words.")
def show(
    name: Annotated[str, typer.Argument(metavar="ID", help="An id, the beginning of one, a name or a title.")],
    config: ConfigOption = None,
    rules: RulesOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Show what a rule is: where it looks, what makes it fire, in words, and what belongs to it."""
    try:
        chosen = _Chosen(config, rules)
        catalogue = chosen.catalogue()
        entry = _one(catalogue, name)
        samples = _samples_of(entry)
    except (ProblemsError, OSError, ValueError) as error:
        refuse(error)
    if as_json:
        typer.echo(json.dumps(whole(catalogue, entry, samples), indent=1))
    else:
        typer.echo(card(catalogue, entry, samples))


def _one(catalogue: Catalogue, name: str) -> Entry:
    found = catalogue.find(name)
    if len(found) == 1:
        return found[0]
    if found:
        named = ", ".join(f"{one.title} {one.rule.ref.id}" for one in found[:_MOST])
        raise ValueError(f"expected one rule (got {visible(name)}, which is any of: {named})")
    near = " or ".join(f"“{title}”" for title in catalogue.near(name))
    meant = f" – did you mean {near}?" if near else "; `tellwhy rules list` shows them all"
    raise ValueError(f"expected the id, the beginning of the id, the name or the title of a rule (got {name!r}){meant}")


def _samples_of(entry: Entry) -> list[RuleSample]:
    """The samples that are about a rule; what is wrong with their file is said on stderr."""
    samples: list[RuleSample] = []
    for path, text in read_sample_files([entry.rule.ref.path]).items():
        found, problems = read_samples(path, text)
        _complain(problems)
        samples += [sample for sample in found if sample.rule in {"", entry.title}]
    return samples


@app.command("test", short_help="Play the samples beside the rules, in virtual time.")
def play(
    path: Annotated[
        Path | None, typer.Argument(help="A rule file, a sample file or a directory of them; else all.", exists=True)
    ] = None,
    config: ConfigOption = None,
    rules: RulesOption = None,
    json_too: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
) -> None:
    """Play the samples beside the rules, in virtual time, through the readers, rules and grouping that run live.

    Every sample that does not hold is a line `path:line: name: expected … (got …)` on stderr. Exit code 0 when all
    hold, 1 when some do not, 2 for bad input: rules or samples that cannot be used, samples without a rule.
    """
    try:
        chosen = _Chosen(config, rules)
        trial = try_samples(scope_of(path, chosen.places), chosen.config.rules.placeholders)
    except (ProblemsError, OSError, ValueError) as error:
        refuse(error)
    _complain(trial.problems)
    for result in trial.failed:
        typer.echo(complaint(result), err=True)
    typer.echo(json.dumps(as_json(trial), indent=1) if json_too else _summary(trial))
    raise typer.Exit(BAD_INPUT if trial.problems else _FAILED if trial.failed else 0)


def _summary(trial: Trial) -> str:
    lines = [visible(f"{ref.path}:{line}: {ref.title}: no samples") for ref, line in trial.untried[:_MOST]]
    more = len(trial.untried) - _MOST
    lines += [f"… and {more} more rules without samples"] if more > 0 else []
    played, failed = sum(one.problem is None for one in trial.results), len(trial.failed)
    held = (
        f"{failed} do{'es' if failed == 1 else ''} not hold"
        if failed
        else "all hold"
        if played
        else "nothing was tried"
    )
    untried = f"; {_counted(len(trial.untried), 'rule')} without samples" if trial.untried else ""
    refused = f"; {_counted(len(trial.problems), 'problem')}" if trial.problems else ""
    return "\n".join(
        [*lines, f"{_counted(played, 'sample')} of {_counted(trial.rules, 'rule')}: {held}{untried}{refused}"]
    )


def _counted(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
