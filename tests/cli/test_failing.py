"""Bad input, and output that cannot be written."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from daemon.cli.failing import guard, refuse


def test_bad_input_is_a_sentence_and_exit_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught:
        refuse(FileNotFoundError(2, "No such file or directory", "/nowhere"))

    assert caught.value.exit_code == 2
    assert capsys.readouterr().err == "/nowhere: expected a readable file (got: No such file or directory)\n"


def written_to_a_full_disk(*arguments: str) -> subprocess.CompletedProcess[str]:
    with Path("/dev/full").open("w") as full:
        command = [sys.executable, "-m", "daemon", *arguments]
        return subprocess.run(command, stdout=full, stderr=subprocess.PIPE, text=True, check=False)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="there is no /dev/full here")
@pytest.mark.parametrize("verb", ["rules list", "check", "replay"])
def test_output_that_cannot_be_written_is_a_sentence(verb: str, repository: Path, tmp_path: Path) -> None:
    (tmp_path / "c.yaml").write_text(f"rules: {{directories: [{repository}/rules/persistence]}}\n")
    log = [str(repository / "examples" / "attack" / "audit.log"), "--quiet"] if verb == "replay" else []

    done = written_to_a_full_disk(*verb.split(), *log, "--config", str(tmp_path / "c.yaml"))

    said = [line for line in done.stderr.splitlines() if not line.startswith("warning: ")]
    assert (done.returncode, said) == (1, ["tellwhy: cannot write the output: No space left on device"])


def test_nothing_is_said_of_a_pipe_that_nobody_reads(tmp_path: Path) -> None:
    (tmp_path / "r.yml").write_text("title: T\nlogsource: {product: linux}\ndetection: {s: {a: 1}, condition: s}\n")
    reading, writing = os.pipe()
    os.close(reading)
    command = [sys.executable, "-m", "daemon", "rules", "list", "--rules", str(tmp_path)]
    done = subprocess.run(command, stdout=writing, stderr=subprocess.PIPE, text=True, check=False)
    os.close(writing)
    assert done.stderr == ""
    assert done.returncode in {0, 1}


def test_what_is_no_failure_of_output_is_not_hidden() -> None:
    def broken() -> None:
        raise FileNotFoundError(2, "No such file or directory", "/nowhere")

    with pytest.raises(FileNotFoundError):
        guard(broken)
