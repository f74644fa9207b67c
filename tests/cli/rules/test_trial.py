"""What is tried for a path, what comes of it, and what cannot be tried."""

from pathlib import Path

import pytest

from daemon.cli.rules.trial import Scope, Trial, as_json, complaint, scope_of, try_samples

RULE = """title: {title}
logsource: {{product: linux, service: syslog}}
detection: {{selection: {{Message|contains: {word}}}, condition: selection}}
"""
SAMPLES = """hit:
    - name: the word
      format: syslog
      lines: '$SYSLOG web-1 app: {word}'
miss:
    - name: another word
      format: syslog
      lines: '$SYSLOG web-1 app: {other}'
"""


def put(top: Path, name: str, text: str) -> Path:
    path = top / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


def one(top: Path, name: str = "a", word: str = "alpha") -> None:
    put(top, f"{name}.yml", RULE.format(title=name.upper(), word=word))
    put(top, f"{name}.samples.yml", SAMPLES.format(word=word, other="hush"))


def tried(path: Path | None, *places: Path) -> Trial:
    return try_samples(scope_of(path, [str(place) for place in places]), {})


def test_all_that_is_configured(tmp_path: Path) -> None:
    one(tmp_path)
    one(tmp_path, "deep/b", "beta")
    put(tmp_path, "c.yml", RULE.format(title="C", word="gamma"))

    trial = tried(None, tmp_path)

    assert [(result.name, result.ok) for result in trial.results] == [("the word", True), ("another word", True)] * 2
    assert ([ref.title for ref, _ in trial.untried], trial.rules, trial.problems) == (["C"], 3, ())


@pytest.mark.parametrize("name", ["a.yml", "a.samples.yml", "."])
def test_a_rule_file_a_sample_file_and_a_directory_mean_the_same_rule(tmp_path: Path, name: str) -> None:
    one(tmp_path / "mine")
    one(tmp_path / "others", "b", "beta")

    trial = tried(tmp_path / "mine" / name, tmp_path / "others")

    assert [result.path for result in trial.results] == [str(tmp_path / "mine" / "a.samples.yml")] * 2
    assert (trial.rules, trial.untried, trial.failed) == (1, (), ())


def test_what_a_rule_is_built_upon_may_stand_elsewhere(tmp_path: Path) -> None:
    put(
        tmp_path,
        "there/word.yml",
        RULE.format(title="Word", word="alpha").replace("logsource", "name: word\nlogsource"),
    )
    put(
        tmp_path,
        "mine/many.yml",
        "title: Many\ncorrelation: {type: event_count, rules: [word], timespan: 1m, condition: {gte: 3}}\n",
    )
    samples = SAMPLES.format(word="alpha", other="alpha").replace("format", "repeat: 3\n      format", 1)
    put(tmp_path, "mine/many.samples.yml", samples)

    assert [result.wrong for result in tried(tmp_path / "mine", tmp_path / "there").results] == ["", ""]
    lonely = tried(tmp_path / "mine", tmp_path / "mine")
    assert "expected the id or name of a rule (got word)" in str(lonely.problems[0])


def test_a_copy_counts_instead_of_what_is_configured(tmp_path: Path) -> None:
    """Somebody edits a rule of ours in a directory of their own: theirs is tried, and ours is no problem of theirs."""
    identity = "id: 00000000-0000-4000-8000-000000000001\ntitle"
    put(tmp_path, "ours/a.yml", RULE.format(title="A", word="alpha").replace("title", identity, 1))
    put(tmp_path, "mine/a.yml", RULE.format(title="A", word="beta").replace("title", identity, 1))
    put(tmp_path, "mine/a.samples.yml", SAMPLES.format(word="beta", other="alpha"))

    trial = tried(tmp_path / "mine", tmp_path / "ours")

    assert ([result.wrong for result in trial.results], trial.problems) == (["", ""], ())


def test_the_same_file_by_two_names_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one(tmp_path)
    monkeypatch.chdir(tmp_path)

    trial = tried(Path("a.yml"), tmp_path)

    assert [result.path for result in trial.results] == ["a.samples.yml"] * 2
    assert (trial.problems, trial.failed) == ((), ())


def test_a_sample_that_does_not_hold_says_where_and_what_fired(tmp_path: Path) -> None:
    one(tmp_path)
    put(tmp_path, "a.samples.yml", SAMPLES.format(word="hush", other="alpha"))
    one(tmp_path, "b", "hush")

    hit, miss = tried(tmp_path / "a.yml", tmp_path).failed

    where = tmp_path / "a.samples.yml"
    assert complaint(hit).splitlines() == [
        f"{where}:2: the word: expected at least 1 anomaly (got 0)",
        "  fired instead: B",
    ]
    said = complaint(miss).splitlines()
    assert said[0] == f"{where}:6: another word: expected 0 anomalies (got 1)"
    assert said[1].startswith("  A: ")
    assert 'Message contains "alpha"' in said[1]


def test_a_rule_of_which_no_sample_speaks_has_none(tmp_path: Path) -> None:
    put(tmp_path, "a.yml", RULE.format(title="A", word="alpha") + "---\n" + RULE.format(title="B", word="alpha"))
    put(
        tmp_path, "a.samples.yml", SAMPLES.format(word="alpha", other="hush").replace("format", "rule: A\n      format")
    )

    trial = tried(None, tmp_path)

    assert [(ref.title, line) for ref, line in trial.untried] == [("B", 5)]
    assert as_json(trial)["without_samples"] == [
        {"id": trial.untried[0][0].id, "title": "B", "path": str(tmp_path / "a.yml"), "line": 5}
    ]


def test_samples_without_a_rule_and_what_cannot_be_read_are_problems(tmp_path: Path) -> None:
    one(tmp_path)
    put(tmp_path, "lonely.samples.yml", SAMPLES.format(word="x", other="y"))
    put(tmp_path, "b.yml", RULE.format(title="B", word="x"))
    put(tmp_path, "b.samples.yml", "hit: [x]\n")
    put(tmp_path, "c.yml", "title: [\n")
    put(tmp_path, "c.samples.yml", SAMPLES.format(word="x", other="y"))

    trial = tried(None, tmp_path)

    paths = sorted({Path(problem.path).name for problem in trial.problems})
    assert paths == ["b.samples.yml", "c.yml", "lonely.samples.yml"]
    assert len(trial.problems) == len(set(trial.problems))
    assert [result.ok for result in trial.results if result.problem is None] == [True, True]
    assert trial.untried == ()
    assert "expected a rule file beside it" in str(tried(tmp_path / "lonely.samples.yml", tmp_path).problems[0])


def test_a_building_block_needs_no_samples(tmp_path: Path) -> None:
    block = RULE.format(title="Word", word="alpha").replace("logsource", "name: word\nlogsource")
    many = "title: Many\ncorrelation: {type: event_count, rules: [word], timespan: 1m, condition: {gte: 3}}\n"
    put(tmp_path, "a.yml", f"{block}---\n{many}")
    assert [ref.title for ref, _ in tried(None, tmp_path).untried] == ["Many"]


def test_a_path_without_rules_is_bad_input(tmp_path: Path) -> None:
    put(tmp_path, "notes.txt", "x")
    (tmp_path / "empty").mkdir()
    with pytest.raises(ValueError, match=r"notes.txt: expected a rule file, a sample file"):
        scope_of(tmp_path / "notes.txt", [])
    with pytest.raises(ValueError, match=r"empty: expected rules or samples \(got none\)"):
        scope_of(tmp_path / "empty", [])
    with pytest.raises(FileNotFoundError):
        scope_of(None, ["/nowhere/rules"])


def test_everything_for_a_program(tmp_path: Path) -> None:
    one(tmp_path)
    (hit, miss) = tried(None, tmp_path).results
    told = as_json(Trial((hit, miss), (), (), 1))
    assert told["problems"] == []
    results = told["results"]
    assert isinstance(results, list)
    assert results[0] == {
        "path": str(tmp_path / "a.samples.yml"),
        "line": 2,
        "name": "the word",
        "kind": "hit",
        "ok": True,
        "wrong": "",
        "fired": ["A"],
        "others": [],
    }
    assert results[1]["kind"] == "miss"
    assert Scope({}, {}, {}).files == {}
