"""Samples beside a rule: what must make it fire, and what must not. `NAME.samples.yml` belongs to `NAME.yml`.

    sample file ─▶ steps in virtual time ─▶ Flow (readers, rules, incidents) ─▶ SampleResult

The samples run through the same flow as live input: raw lines through the readers, readings as samples, losses as
losses, with all given rules loaded. Time is virtual and begins at `START`. In lines, `$AUDIT` stands for the
`audit(<seconds>:<serial>)` of one event, `$SYSLOG` for an RFC 3164 stamp, `$ISO` for an ISO 8601 one, `$GS` for the
0x1D before what an ENRICHED audit log adds; `${GS}` means the same. The format is told in `rules/README.md`.
"""

import re
from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from daemon.detection.attributes import suggestion
from daemon.detection.rules import ParsedRules, parse_rules
from daemon.detection.rules_document import read_documents
from daemon.detection.searches import NOTHING, Placeholders
from daemon.model import Problem, RuleRef
from daemon.rule_samples.files import read_sample_files
from daemon.rule_samples.reading import RuleSample, read_samples
from daemon.rule_samples.stage import Stage

__all__ = ["SampleResult", "is_as_written", "parse_as_written", "read_sample_files", "rule_path", "run_samples"]

_FILTER = re.compile(r"""\bfilter["']?\s*:""")
"""What a document with the key `filter` has in any case: most files are not read to see that they have none."""
_SUFFIX = re.compile(r"\.samples(?=\.ya?ml$)")


class SampleResult(Struct, frozen=True):
    """How one sample went; `wrong` is empty when it held.

    `problem` says what is wrong with a sample that could not be run. `fired` are the titles of the rules that it is
    about (all of its file, or the one that it names) and that fired, each as often as it did, `because` their
    reasons; `others` the titles of other rules that did.
    """

    path: str
    line: int
    name: str
    hits: bool
    wrong: str = ""
    problem: Problem | None = None
    fired: tuple[str, ...] = ()
    because: tuple[str, ...] = ()
    entities: tuple[str, ...] = ()
    others: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether the sample held."""
        return not self.wrong


def rule_path(path: str) -> str:
    """The rule file that a sample file belongs to; the path itself when it is not named as a sample file."""
    return _SUFFIX.sub("", path)


def parse_as_written(rules: Mapping[str, str], placeholders: Placeholders = NOTHING) -> ParsedRules:
    """Path → text of rule files → rules, without the files that hold only filters; `placeholders` fill `expand`.

    Samples say what a rule finds as it is written: somebody who filters their own backup out of it, or switches it off,
    has not broken it.
    """
    written = {path: text for path, text in rules.items() if not _only_filters(path, text)}
    return parse_rules(written, placeholders=placeholders)


def is_as_written(parsed: ParsedRules, rules: Mapping[str, str]) -> bool:
    """Whether what was made of these rules to run is what `parse_as_written` would make of them."""
    return not parsed.disabled and not any(_only_filters(path, text) for path, text in rules.items())


def run_samples(
    rules: Mapping[str, str], samples: Mapping[str, str], parsed: ParsedRules | None = None, *, others: bool = True
) -> list[SampleResult]:
    """Path → text of rule files and of sample files → how each sample went, in order. Nothing is raised.

    `parsed` is what `parse_as_written` made of the rules, where somebody has it already. Without `others` only the
    rules of its file look at a sample, with those that they are built upon: sooner done, and nothing is told of others.
    """
    parsed = parse_as_written(rules) if parsed is None else parsed
    broken = {problem.path: problem for problem in reversed(parsed.problems)}
    results: list[SampleResult] = []
    for path, text in samples.items():
        found, problems = read_samples(path, text)
        rule = rule_path(path)
        if rule == path or rule not in rules:
            problems = [Problem(path, 1, "(file)", "expected a rule file beside it, NAME.yml for NAME.samples.yml")]
        elif rule in broken:
            problems = [*problems, broken[rule]]
        results += [_unplayed(path, problem) for problem in problems]
        looking = parsed if others else _of_file(parsed, rule)
        results += [] if problems else [_judge(looking, rule, sample) for sample in found]
    return results


def _of_file(parsed: ParsedRules, path: str) -> ParsedRules:
    """The rules of one file and all that they are built upon."""
    needed: set[str] = set()
    for rule in reversed(parsed.rules):  # each stands behind those it is built upon
        if rule.ref.path == path or rule.ref.id in needed:
            needed.update((rule.ref.id, *rule.inputs))
    return replace(parsed, rules=tuple(rule for rule in parsed.rules if rule.ref.id in needed))


def _only_filters(path: str, text: str) -> bool:
    if not _FILTER.search(text):
        return False
    documents, problems = read_documents(path, text)
    return bool(documents) and not problems and all("filter" in document.data for document in documents)


def _judge(parsed: ParsedRules, rule: str, sample: RuleSample) -> SampleResult:
    titles = [one.ref.title for one in parsed.rules if one.ref.path == rule and one.fires]
    if not sample.rule or sample.rule in titles:
        return _play(parsed, rule, sample)
    expected = f"expected one of {', '.join(titles)} (got {sample.rule}){suggestion(sample.rule, titles)}"
    return _unplayed(sample.path, Problem(sample.path, sample.line, "rule", expected))


def _unread(stage: Stage, sample: RuleSample) -> list[str]:
    """That not one line was understood, which is why nothing was found."""
    lines, understood = stage.understood
    if not lines or understood:
        return []
    formats = " or ".join(dict.fromkeys(step.format for step in sample.steps if step.lines))
    none = "its line was not" if lines == 1 else f"none of its {lines} lines was"
    return [f"expected lines of {formats} ({none} understood)"]


def _unplayed(path: str, problem: Problem) -> SampleResult:
    return SampleResult(path, problem.line, problem.key, hits=False, wrong=str(problem), problem=problem)


def _play(parsed: ParsedRules, rule: str, sample: RuleSample) -> SampleResult:
    stage = Stage(parsed, {step.format for step in sample.steps})
    outcomes = list(stage.play(sample.steps))
    anomalies = [anomaly for outcome in outcomes for anomaly in outcome.anomalies]
    titles = {one.ref.id: one.ref.title for one in parsed.rules}  # an anomaly's may quote its event

    def is_meant(ref: RuleRef) -> bool:
        return ref.path == rule and sample.rule in {"", titles[ref.id]}

    own = [anomaly for anomaly in anomalies if is_meant(anomaly.rule)]
    began = [anomaly for anomaly in own if not anomaly.ends]
    incidents = {c.incident.id for o in outcomes for c in o.changes if is_meant(c.incident.rule)}
    failed = [f"{lost.why}: {lost.detail}" for o in outcomes for lost in o.lost if lost.why.endswith("_error")]
    counted = (
        ("anomalies", len(began), sample.expect if sample.hits else 0),
        ("endings", len(own) - len(began), sample.ends),
        ("incidents", len(incidents), sample.incidents),
    )
    wrong = [f"expected {wanted} {what} (got {got})" for what, got, wanted in counted if wanted not in {None, got}]
    if sample.hits and sample.expect is None and not began:
        wrong.append("expected at least 1 anomaly (got 0)")
    if wrong and sample.hits:
        wrong += _unread(stage, sample)
    return SampleResult(
        sample.path, sample.line, sample.name, sample.hits, "; ".join([*failed, *wrong]),
        fired=tuple(titles[anomaly.rule.id] for anomaly in began), because=tuple(anomaly.because for anomaly in began),
        entities=tuple(anomaly.entity for anomaly in began),
        others=tuple(dict.fromkeys(titles[a.rule.id] for a in anomalies if not is_meant(a.rule))),
    )  # fmt: skip
