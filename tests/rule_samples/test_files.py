"""Which files are samples, and where they are looked for."""

from pathlib import Path

import pytest

from daemon.rule_samples.files import is_samples, read_sample_files


@pytest.mark.parametrize(
    ("name", "samples"),
    [
        ("a.samples.yml", True),
        ("a.samples.yaml", True),
        ("a.yml", False),
        ("samples.yml", False),
        ("a.samples.yml.bak", False),
        ("a.samples.txt", False),
    ],
)
def test_how_samples_are_named(name: str, *, samples: bool) -> None:
    assert is_samples(Path(name)) is samples


def test_directories_are_searched_and_a_rule_file_has_what_lies_beside_it(tmp_path: Path) -> None:
    (tmp_path / "deep" / "er").mkdir(parents=True)
    for name in ("b.samples.yml", "a.samples.yml", "a.yml", "deep/er/c.samples.yaml", "lonely.yml"):
        (tmp_path / name).write_text(name)
    (tmp_path / "d.samples.yml").mkdir()

    found = read_sample_files([str(tmp_path)])

    assert list(found.values()) == ["a.samples.yml", "b.samples.yml", "deep/er/c.samples.yaml"]
    assert list(read_sample_files([str(tmp_path / "a.yml")]).values()) == ["a.samples.yml"]
    assert list(read_sample_files([str(tmp_path / "b.samples.yml")]).values()) == ["b.samples.yml"]
    assert read_sample_files([str(tmp_path / "lonely.yml")]) == {}


def test_ours_are_shipped_and_bytes_that_are_no_text_are_left_to_the_reader(tmp_path: Path) -> None:
    assert any(path.endswith("brute_force.samples.yml") for path in read_sample_files(["shipped"]))
    (tmp_path / "a.samples.yml").write_bytes(b"hit: \xff")
    assert list(read_sample_files([str(tmp_path)]).values()) == ["hit: \ufffd"]
