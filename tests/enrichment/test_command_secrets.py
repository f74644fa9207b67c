"""Which argument is the secret, told by the command around it."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.command_secrets import may_tell, secret_spans, split_words
from daemon.enrichment.redact import _commands
from daemon.enrichment.secret_tools import TOOLS


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
        (["curl", "-su", "bob:pw"], ["pw"]),
        (["curl", "-sku", "bob:pw", "h"], ["pw"]),
        (["curl", "-Lsubob:pw", "h"], ["pw"]),
        (["curl", "-sSfL", "-o", "u:x", "h"], []),
        (["curl", "-so", "a:b", "h"], []),
        (["curl", "-su", "bob"], []),
        (["curl", "-su"], []),
        (["curl", "-b", "sid=pw; a=b", "h"], ["pw; a=b"]),
        (["curl", "-sb", "sid=pw"], ["pw"]),
        (["curl", "--cookie=sid=pw"], ["pw"]),
        (["curl", "--cookie", "jar.txt", "-c", "jar.txt"], []),
        (["wget", "-U", "Mozilla:5"], []),
        (["sqlcmd", "-S", "db", "-U", "sa", "-P", "pw"], ["pw"]),
        (["sqlcmd", "-Ppw"], ["pw"]),
        (["sqlplus", "-s", "scott/pw@db"], ["pw"]),
        (["sqlplus", "/nolog", "@/opt/run.sql"], []),
        (["sqlplus", "scott@db", "a/b"], []),
        (["psexec.py", "dom/user:pw@192.0.2.1"], ["pw"]),
        (["psexec.py", "user:p@w@192.0.2.1"], ["p@w"]),
        (["impacket-secretsdump", "-dc-ip", "192.0.2.1", "dom/user:pw@h"], ["pw"]),
        (["python3", "services.py", "localhost:80"], []),
        (["etcdctl", "--user", "root:pw", "get", "x"], ["pw"]),
        (["etcdctl", "--user=root:pw"], ["pw"]),
        (["rabbitmqctl", "add_user", "a", "pw"], ["pw"]),
        (["rabbitmqctl", "-n", "rabbit", "change_password", "a", "pw"], ["pw"]),
        (["rabbitmqctl", "list_users"], []),
        (["aws", "configure", "set", "aws_secret_access_key", "pw"], ["pw"]),
        (["aws", "configure", "set", "region", "eu"], []),
        (["az", "login", "-u", "a", "-p", "pw"], ["pw"]),
        (["az", "webapp", "create", "-p", "plan"], []),
        (["twine", "upload", "-u", "a", "-p", "pw", "dist/x"], ["pw"]),
        (["twine", "check", "-p", "x"], []),
        (["ssh-keygen", "-t", "rsa", "-N", "pw", "-f", "k"], ["pw"]),
        (["ssh-keygen", "-N", "", "-f", "k"], []),
        (["ssh-keygen", "-p", "-f", "k"], []),
        (["snmpwalk", "-v2c", "-c", "pw", "h"], ["pw"]),
        (["snmpwalk", "-v3", "-u", "a", "-A", "pw", "-X", "pw2", "h"], ["pw", "pw2"]),
        (["lftp", "-u", "bob,pw", "h"], ["pw"]),
        (["nxc", "smb", "h", "-u", "a", "-H", "pw"], ["pw"]),
        (["tar", "-c", "f"], []),
        (["ssh", "-p", "22", "h"], []),
        (["mkdir", "-p", "a/b:c"], []),
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
                "curl",
                "-su",
                "-b",
                "a=b",
                "dom/u:s@h",
                "psexec.py",
                "sqlplus",
                "rabbitmqctl",
                "add_user",
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


PIECES = st.sampled_from(
    [
        *sorted(TOOLS),
        *("htpasswd", "-b", "mkpasswd", "wpa_passphrase", "nmcli", "password", "passwd", "chpasswd", "kinit", "echo"),
        *(
            "--password",
            "--db-Pass=x1y2",
            "-psk",
            "-p",
            "-px1y2",
            "-u",
            "-u:x1y2",
            "-w",
            "-P",
            "x1y2",
            "bob:x1y2",
            "sudo",
        ),
        *(
            "-S",
            "|",
            "||",
            "|&",
            ";",
            "&",
            "<<<",
            "<<<x1y2",
            "/usr/bin/",
            '"',
            "'",
            " ",
            "\n",
            "\u2003",
            "a0=",
            "a1=",
            "\\",
        ),
        *(
            "upload",
            "login",
            "add_user",
            "-",
            "=",
            "6d7973716c002d707365637265743132",
            "7a6970202d502078317932007a6970",
        ),
    ]
)


@given(st.lists(PIECES, max_size=9), st.sampled_from(["", " "]))
def test_a_text_that_cannot_tell_holds_nothing(pieces: list[str], between: str) -> None:
    """The worst bug: a secret is kept because the look that was to save time did not see what gives it away."""
    text = between.join(pieces)
    assert may_tell(text) or _commands(text, 0) == text


def test_ordinary_lines_are_not_split() -> None:
    """What it is for."""
    assert not may_tell("sshd[2001]: Failed password for invalid user ubuntu from 192.0.2.35 port 40000 ssh2")
    assert not may_tell("sudo: bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/usr/bin/apt-get update -y")
