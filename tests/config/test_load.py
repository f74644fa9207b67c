"""Every mistake is said with its line, its key and what was expected; all of them at once."""

import random  # noqa: TID251 - seeded, and so the same every time
from pathlib import Path

import pytest
import yaml

from daemon.config.load import default_config, examine_config, load_config, read_secret
from daemon.model import ProblemsError
from tests.doubles.mutated_yaml import mutated

INVALID = sorted((Path(__file__).parent / "data" / "invalid").glob("*.yaml"))


@pytest.mark.parametrize("path", INVALID, ids=lambda path: path.stem)
def test_an_invalid_file_states_its_own_error(path: Path) -> None:
    expected = path.read_text(encoding="utf-8").splitlines()[0].removeprefix("# error: ")

    with pytest.raises(ProblemsError) as caught:
        load_config(path)

    assert [f"{p.line}: {p.key}: {p.expected}" for p in caught.value.problems] == [expected]
    assert str(caught.value).startswith(f"{path}:")


def test_all_problems_come_at_once(tmp_path: Path) -> None:
    path = tmp_path / "config.yaml"
    path.write_text("a: 1\nb: 2\nalerts: {deadline: soon}\n")

    with pytest.raises(ProblemsError) as caught:
        load_config(path)

    assert {problem.line for problem in caught.value.problems} == {1, 2, 3}


def test_an_empty_file_is_all_defaults(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("# nothing yet\n")

    assert load_config(tmp_path / "config.yaml") == default_config()


def test_no_sources_are_chosen_by_saying_so(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("sources: []\n")

    assert load_config(tmp_path / "config.yaml").sources == ()


@pytest.mark.parametrize("text", ["a: &x [*x]\n", "[" * 5000, "host: !!int x\n", "? [1]\n: 2\n", "\x00"])
def test_hostile_yaml_is_a_problem_and_no_crash(tmp_path: Path, text: str) -> None:
    (tmp_path / "config.yaml").write_bytes(text.encode())

    with pytest.raises(ProblemsError):
        load_config(tmp_path / "config.yaml")


def test_a_bare_name_without_credentials_is_a_file_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CREDENTIALS_DIRECTORY", raising=False)

    with pytest.raises(ValueError, match="/etc/tellwhy/secrets/none-of-ours"):
        read_secret(Path("none-of-ours"))


def test_defaults_watch_what_this_host_has() -> None:
    names = {source.name for source in default_config().sources}

    assert {"audit", "host", "gpu"} <= names


def test_a_secret_is_read_without_blanks(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("  s3cret\n")

    assert read_secret(tmp_path / "token") == "s3cret"


def test_a_bare_name_is_a_systemd_credential(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "webhook").write_text("from-credential")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))

    assert read_secret(Path("webhook")) == "from-credential"


@pytest.mark.parametrize("content", [None, b"", b"\xff\xfe\x00"])
def test_a_secret_that_cannot_be_used_is_named_without_its_content(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_bytes(content)

    with pytest.raises(ValueError, match=str(path)):
        read_secret(path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "sources:\n  - {type: file, name: a, path: /a, format: [x]}\n",
            "2: sources.0.format: expected 'auto', 'auditd', ",
        ),
        ("sources:\n  - {type: file, name: a, path: /a, format: {a: b}}\n", "2: sources.0.format: expected 'auto', "),
        ("api: {token_file: [x]}\n", "1: api.token_file: expected a path (got ['x'])"),
        ("redaction: 5\n", "1: redaction: expected keys and values (got 5)"),
    ],
)
def test_what_is_of_another_kind_is_told_in_words_of_yaml(tmp_path: Path, text: str, expected: str) -> None:
    (tmp_path / "c.yaml").write_text(text)
    with pytest.raises(ProblemsError) as refused:
        load_config(tmp_path / "c.yaml")
    (problem,) = refused.value.problems
    assert str(problem).removeprefix(f"{tmp_path}/c.yaml:").startswith(expected)


@pytest.mark.parametrize("seed", range(6))
def test_whatever_is_changed_in_the_example_is_a_problem_in_words_or_right(
    tmp_path: Path, repository: Path, seed: int
) -> None:
    rng = random.Random(seed)  # noqa: S311 - a test, not a secret
    examples = [
        yaml.safe_load((repository / "examples" / name).read_text()) for name in ("config.yaml", "other-tools.yaml")
    ]
    for _ in range(25):
        data = mutated(mutated(rng.choice(examples), rng), rng)
        (tmp_path / "c.yaml").write_text(yaml.safe_dump(data, allow_unicode=True))
        config, problems = examine_config(tmp_path / "c.yaml")
        given = data.get("sources")
        assert not isinstance(given, list) or len(config.sources) == len(given)
        assert [one for one in problems if not one.expected.startswith("expected ") or "<class" in one.expected] == []
