import pytest
import typer

from daemon.cli.failing import refuse


def test_bad_input_is_a_sentence_and_exit_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(typer.Exit) as caught:
        refuse(FileNotFoundError(2, "No such file or directory", "/nowhere"))

    assert caught.value.exit_code == 2
    assert capsys.readouterr().err == "/nowhere: expected a readable file (got: No such file or directory)\n"
