"""Which argument is the secret, told by the command around it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.command_secrets import secret_spans, split_words


def secrets(*words: str) -> list[str]:
    return [words[index][start:end] for index, start, end in secret_spans(words)]


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["mysql", "-uroot", "-px y", "db"], ["x y"]),
        (["mysql", "-p", "db"], []),
        (["mysql", "-P3306"], []),
        (["sshpass", "-p", "pw", "ssh", "-p", "22", "h"], ["pw"]),
        (["timeout", "5", "/usr/bin/mysql", "-ppw"], ["pw"]),
        (["tool", "--password", "a b", "-v"], ["a b"]),
        (["tool", "--password=a b"], ["a b"]),
        (["tool", "--password", "--verbose"], []),
        (["tool", "--no-password", "db"], []),
        (["tool", "--password-file", "/etc/pw"], []),
        (["curl", "-u", "bob"], []),
        (["curl", "-u", "bob:a:b"], ["a:b"]),
        (["docker", "run", "-p", "80:80"], []),
        (["docker", "login", "-p", "pw"], ["pw"]),
        (["htpasswd", "/etc/x", "bob"], []),
        (["htpasswd", "-b", "/etc/x", "bob", "pw"], ["pw"]),
        (["mkpasswd", "-m", "sha-512", "pw"], ["pw"]),
        (["wpa_passphrase", "net1", "pw12"], ["pw12"]),
        (["nmcli", "device", "wifi", "connect", "x", "password", "pw"], ["pw"]),
        (["ldapsearch", "-w", "pw", "-D", "cn=x"], ["pw"]),
        (["echo", "-n", "pw", "|", "sudo", "-S", "id"], ["pw"]),
        (["echo", "hello", "|", "sudo", "tee", "f"], []),
        (["echo", "hello", "|", "grep", "x"], []),
        (["printf", "%s", "bob:pw", "|", "chpasswd"], ["pw"]),
        (["mysql", "-p[redacted:password]"], []),
        ([], []),
        (["|"], []),
    ],
)
def test_secrets_in_argument_vectors(words: list[str], expected: list[str]) -> None:
    assert secrets(*words) == expected


def test_words_know_where_they_stand() -> None:
    text = """a0="my sql" x'y z' |a12=b;c "open"""
    words = split_words(text)
    assert [word.text for word in words] == ["my sql", "x'y z'", "|", "b", ";", "c", '"open']
    assert all(text[word.start : word.end] == word.text for word in words)


@given(st.text(alphabet="ab \"'\\|;&=0-\n"))
def test_splitting_covers_every_visible_character_once(text: str) -> None:
    words = split_words(text)
    assert all(text[word.start : word.end] == word.text for word in words)
    assert all(one.end <= two.start for one, two in pairwise(words))


@given(
    st.lists(
        st.sampled_from(
            [
                "mysql",
                "-p",
                "-px",
                "|",
                "<<<",
                "sudo",
                "-S",
                "chpasswd",
                "a:b",
                "htpasswd",
                "-b",
                "echo",
                "",
                "--password",
                "openssl",
                "passwd",
                "-salt",
            ]
        ),
        max_size=12,
    )
)
def test_spans_always_lie_inside_their_words(words: list[str]) -> None:
    for index, start, end in secret_spans(words):
        assert 0 <= start <= end <= len(words[index])
