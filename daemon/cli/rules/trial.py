"""`tellwhy rules test`: which samples there are below a path, how they went, and which rules have none."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from msgspec import Struct

from daemon.config import read_rule_files
from daemon.detection.rules import Rule
from daemon.detection.rules_draft import read_drafts
from daemon.detection.wording import visible
from daemon.model import Problem, RuleRef
from daemon.rule_samples import SampleResult, parse_as_written, read_sample_files, rule_path, run_samples
from daemon.rule_samples.files import is_samples
from daemon.rule_samples.reading import read_samples


class Scope(Struct, frozen=True):
    """What is tried: `mine` are the rule files whose samples count, `files` those and all others that are loaded."""

    mine: dict[str, str]
    files: dict[str, str]
    samples: dict[str, str]


class Trial(Struct, frozen=True):
    """How it went. `problems` are what could not be tried, each once; `untried` the rules without samples,
    with their lines.
    """

    results: tuple[SampleResult, ...]
    problems: tuple[Problem, ...]
    untried: tuple[tuple[RuleRef, int], ...]
    rules: int

    @property
    def failed(self) -> tuple[SampleResult, ...]:
        """The samples that ran and did not hold."""
        return tuple(one for one in self.results if not one.ok and one.problem is None)


def scope_of(path: Path | None, places: Sequence[str]) -> Scope:
    """What to try: all of `places`, or what lies at `path` (a rule file, a sample file, or a directory of them).

    Rules elsewhere are loaded besides, because a correlation may be built upon them; where the same rule stands in
    both, the one at `path` counts. Raises OSError, and ValueError for a path that holds no rules.
    """
    around = read_rule_files(places)
    if path is None:
        return Scope(around, around, read_sample_files(places))
    rules = [path] if path.is_dir() else [Path(rule_path(str(path)))]
    if path.is_file() and path.suffix not in {".yml", ".yaml"}:
        message = f"{path}: expected a rule file, a sample file (*.samples.yml) or a directory of them"
        raise ValueError(message)
    samples = read_sample_files([str(path)])
    mine = read_rule_files(str(one) for one in rules if one.exists() or not is_samples(path))
    if not mine and not samples:
        message = f"{path}: expected rules or samples (got none)"
        raise ValueError(message)
    there = {file.resolve() for file in map(Path, mine)}
    return Scope(
        mine, mine | {name: text for name, text in around.items() if Path(name).resolve() not in there}, samples
    )


def try_samples(scope: Scope, placeholders: Mapping[str, tuple[str, ...]]) -> Trial:
    """Play the samples in virtual time, through the flow that runs live, with all rules loaded. Raises nothing."""
    parsed = parse_as_written(scope.files, placeholders)
    results = run_samples(scope.files, scope.samples, parsed)
    broken = [one for one in parsed.problems if one.path in scope.mine]
    unplayed = [one.problem for one in results if one.problem is not None]
    speaking = [rule for rule in parsed.rules if rule.fires and rule.ref.path in scope.mine]
    return Trial(
        results=tuple(results),
        problems=tuple(dict.fromkeys([*broken, *unplayed])),
        untried=tuple(_untried(speaking, scope)),
        rules=len(speaking),
    )


def _untried(rules: Iterable[Rule], scope: Scope) -> Iterator[tuple[RuleRef, int]]:
    """The rules that no sample is about, and where they stand."""
    tried: dict[str, set[str]] = {}
    for path, text in scope.samples.items():
        found, problems = read_samples(path, text)
        meant = {one.rule for one in found} if not problems else {""}  # what cannot be read is said, and may be of any
        tried.setdefault(rule_path(path), set()).update(meant)
    refs = [rule.ref for rule in rules if tried.get(rule.ref.path, set()).isdisjoint({"", rule.ref.title})]
    drafts, _ = read_drafts({ref.path: scope.mine[ref.path] for ref in refs})
    lines = {draft.ref.id: draft.document.line_of("title") for draft in drafts}
    return ((ref, lines.get(ref.id, 1)) for ref in refs)


def complaint(result: SampleResult) -> str:
    """A sample that did not hold, for a person: where, what was expected and got, and what fired."""
    said = f"{result.path}:{result.line}: {result.name}: {result.wrong}"
    fired = [f"{title}: {reason}" for title, reason in zip(result.fired, result.because, strict=True)]
    more = list(dict.fromkeys(fired))[:3]
    if not fired and result.others:
        more = [f"fired instead: {', '.join(result.others)}"]
    return "\n".join([visible(said), *(f"  {visible(line)}" for line in more)])


def as_json(trial: Trial) -> dict[str, object]:
    """The same for a program."""
    return {
        "results": [
            {
                "path": one.path,
                "line": one.line,
                "name": one.name,
                "kind": "hit" if one.hits else "miss",
                "ok": one.ok,
                "wrong": one.wrong,
                "fired": list(one.fired),
                "others": list(one.others),
            }
            for one in trial.results
            if one.problem is None
        ],
        "problems": [str(problem) for problem in trial.problems],
        "without_samples": [
            {"id": ref.id, "title": ref.title, "path": ref.path, "line": line} for ref, line in trial.untried
        ],
    }
