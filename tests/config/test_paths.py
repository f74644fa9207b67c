from pathlib import Path

import pytest

from daemon.config.paths import read_rule_files, shipped_rules, state_directory


def test_rule_files_come_in_order_without_their_samples(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    for name in ("b/two.yaml", "a.yml", "a.samples.yml", "notes.md"):
        (tmp_path / name).write_text("x: 1")

    assert [Path(path).name for path in read_rule_files([str(tmp_path)])] == ["a.yml", "two.yaml"]
    assert list(read_rule_files([str(tmp_path / "a.yml")])) == [str(tmp_path / "a.yml")]


def test_what_is_hidden_is_no_rule_unless_it_is_named(tmp_path: Path) -> None:
    top = tmp_path / ".config"
    for name in (".github/workflows/ci.yml", ".a.yml", "deep/.b/c.yml", "deep/a.yml"):
        (top / name).parent.mkdir(parents=True, exist_ok=True)
        (top / name).write_text("x: 1")
    (top / ".#deep.yml").symlink_to("somebody@host.1234")  # how an editor marks a file that is being edited

    assert list(read_rule_files([str(top)])) == [str(top / "deep" / "a.yml")]
    assert list(read_rule_files([str(top / ".a.yml")])) == [str(top / ".a.yml")]
    assert read_rule_files([str(top / ".github")]).keys() == {str(top / ".github" / "workflows" / "ci.yml")}


def test_a_file_of_another_kind_holds_no_rules(tmp_path: Path) -> None:
    (tmp_path / "notes.md").write_text("x: 1")
    assert read_rule_files([str(tmp_path / "notes.md")]) == {}


def test_a_directory_that_is_not_there_is_named() -> None:
    with pytest.raises(FileNotFoundError, match="/nowhere/rules"):
        read_rule_files(["/nowhere/rules"])


def test_our_own_rules_are_shipped() -> None:
    assert shipped_rules().is_dir()


def test_the_state_directory_is_as_configured_then_systemds(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", f"{tmp_path}:/other")

    assert state_directory(Path("/given")) == Path("/given")
    assert state_directory(None) == tmp_path
