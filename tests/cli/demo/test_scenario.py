from daemon.cli.demo.scenario import WAVES, audit_lines, encoded, ssh_lines


def test_strings_are_written_as_the_kernel_writes_them() -> None:
    assert encoded("curl") == '"curl"'
    assert encoded("we ird") == "776520697264"
    assert encoded('a"b') == "612262"


def test_a_wave_is_guessing_then_success() -> None:
    lines = list(ssh_lines(WAVES[0], 1_795_260_000.0, "web-1"))

    assert sum(b"Failed password" in line for line in lines) == 9
    assert b"Accepted password" in lines[9]
    assert lines[0].startswith(b"Nov 21 11:20:00 web-1 sshd[")


def test_records_of_one_event_share_time_and_serial() -> None:
    for records in audit_lines(WAVES[1], 1_795_260_000.0):
        heads = {line.split(b": ", 1)[0].split(b"msg=")[1] for line in records.splitlines()}
        assert len(heads) == 1
