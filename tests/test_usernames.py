from daemon.usernames import username


def test_known_ids_have_names_and_unknown_ones_stay_numbers() -> None:
    assert username(0) == "root"
    assert username(4294967294) == "4294967294"
    assert username(1 << 70) == str(1 << 70)
