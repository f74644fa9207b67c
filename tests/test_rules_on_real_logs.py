"""What our rules say of logs that nobody here wrote. Each finding was looked up in the log by hand; why it is true stands
beside it. A finding that is not listed fails the test, and so does one that is gone.
"""

import json
from collections import Counter
from pathlib import Path

import pytest

from daemon.detection.rules import ParsedRules
from tests.doubles.host_story import Fired, play
from tests.doubles.our_rules import parsed_rules

AUTH_LOG = {
    ("low", "New user who can log in", "host=ip-10-77-20-248"): (
        10, "elastic_user_0 to 9 (uid 1001 to 1010, /bin/bash) were made on 29 March at 10:36:43 and :44"),
    ("low", "SSH brute force from one address", "src_ip=49.4.143.105"): (
        9, "for root, with `message repeated 5 times` behind nearly each, 7:11 to 7:28 on 5 April; never in"),
    ("low", "SSH passwords guessed slowly from one address", "src_ip=49.4.143.105"): (
        1, "the same guessing: far over twenty within six hours"),
    ("low", "SSH brute force from one address", "src_ip=24.151.103.17"): (
        4, "147 passwords for elastic_user_0 in a few minutes before 16:01 on 30 March: the authors' own attack"),
    ("low", "SSH passwords guessed slowly from one address", "src_ip=24.151.103.17"): (
        1, "the same attack"),
    ("high", "SSH login after repeated failures", "src_ip=24.151.103.17, user=elastic_user_0"): (
        1, "it got in at 16:01:36, one second after the last wrong password"),
    ("low", "SSH users guessed from one address", "src_ip=91.197.232.109"): (
        2, "58 names that do not exist (0, 1234, admin, ftp, ubnt …), twice on 28 March, ten and more within five minutes"),
    ("low", "SSH users guessed slowly from one address", "src_ip=91.197.232.109"): (
        1, "the same list of names over the day"),
    ("low", "SSH brute force from one address", "src_ip=34.204.227.175"): (
        2, "43 passwords for an empty user name within four minutes of 6 April"),
    ("low", "SSH passwords guessed slowly from one address", "src_ip=34.204.227.175"): (1, "the same 43"),
    ("low", "SSH brute force from one address", "src_ip=181.25.206.27"): (
        1, "12 passwords for pi and cloud within a minute of 29 March"),
    ("low", "SSH brute force from one address", "src_ip=181.25.201.155"): (
        1, "root and openerp, folded lines counted, within half a minute of 30 March"),
    ("low", "SSH brute force from one address", "src_ip=181.26.186.35"): (
        1, "test, monitor, guest and root within half a minute of 1 April"),
    ("low", "SSH passwords guessed slowly from one address", "src_ip=181.26.186.35"): (
        1, "the same: more than twenty, the folded ones counted"),
    ("low", "SSH brute force from one address", "src_ip=77.231.252.103"): (
        1, "4 lines for root of which two stand for five more each, 11 April"),
    ("low", "SSH brute force from one address", "src_ip=222.186.56.220"): (
        1, "ubnt, admin and root within half a minute of 13 April"),
    ("low", "SSH brute force from one address", "src_ip=122.163.61.218"): (
        1, "30 passwords for root, admin and ubnt within 40 seconds of 13 April"),
    ("low", "SSH passwords guessed slowly from one address", "src_ip=122.163.61.218"): (1, "the same 30"),
    ("low", "SSH brute force from one address", "src_ip=14.54.210.101"): (
        1, "12 passwords for root within 11 seconds of 13 April"),
    ("low", "SSH brute force from one address", "src_ip=201.178.81.113"): (
        1, "32 passwords for root, ubnt and admin within 44 seconds of 19 April"),
    ("low", "SSH passwords guessed slowly from one address", "src_ip=201.178.81.113"): (1, "the same 32"),
}  # fmt: skip
_LOST = ("medium", "Audit records lost", "source=auditd")
AUDIT_LOGS = {
    "auditd-3.0.9/run1/audit.log": {
        ("critical", "Auditing switched off", "host=vm"): (1, "op=set audit_enabled=0 old=1, outside of any login: the kernel was told to audit no more"),
        ("medium", "Audit daemon ended by another program", "host=vm"): (1, "DAEMON_END names process 26240, not systemd (1), as who sent the signal"),
    },
    "auditd-3.0.9/run2/audit.log": {
        ("critical", "Auditing switched off", "host=web-1"): (1, "as in the first run"),
        ("high", "Audit daemon killed", "source=auditd"): (1, "it was killed on purpose: DAEMON_START follows without DAEMON_END"),
        ("medium", "Audit daemon ended by another program", "host=web-1"): (1, "as in the first run"),
        _LOST: (5, "a backlog limit of a few records was set on purpose: serials are missing"),
    },
    "go-libaudit/auparse/testdata/audit-rhel7.log": {_LOST: (32, "single records in the order of their types: most serials are not there, and some stand as if two hosts wrote them")},
    "go-libaudit/auparse/testdata/audit-ubuntu16.log": {_LOST: (1, "three records of events that are not whole")},
    "go-libaudit/auparse/testdata/test3.log": {_LOST: (4, "serials are missing between the events, and an EXECVE has no SYSCALL")},
    "go-libaudit/testdata/lost_messages.log": {_LOST: (1, "nine serials were taken out by its authors")},
    "splunk-attack_data/T1068_linux_dirtyfrag_dirty_frag_lpe_attack_data.log": {
        ("high", "IPsec states set up on the loopback in a session", "auid=1000"): (
            48, "48 of the SAD-add records are of user001's session, from 127.0.0.1 to 127.0.0.1: the attack itself"),
        ("high", "Root shell whose parent is not root", "LogonId=1000"): (
            1, "`su -` became a shell of root in its own place; its parent is ./exp of user001"),
    },
    "splunk-attack_data/linux_auditd_find_password_db.log.txt": {
        ("medium", "Search for passwords and keys", "host=web-1"): (5, "linPEAS looks for password safes, one grep each"),
    },
}  # fmt: skip
QUIET_LOGS = (
    *("auditd-3.0.9/run1/audit.log.1", "auditd-3.0.9/run1/audit.log.2"),
    *("go-libaudit/testdata/normal.log", "go-libaudit/testdata/out_of_order.log", "go-libaudit/testdata/rollover.log"),
    *("go-libaudit/auparse/testdata/audit-rhel6.log", "go-libaudit/auparse/testdata/audit-ubuntu17.log"),
    "go-libaudit/auparse/testdata/test2.log",
)
OPEN_XP = {
    "syscall_file_operations/raw_23": (
        "Script of the boot written",
        "a shell wrote /etc/init.d/T1543.002, an exercise",
    ),
    "syscall_process_start/raw_5": (
        "Program run from a temporary directory",
        "`/tmp/ bash`: a blank hides the directory",
    ),
}


@pytest.fixture(scope="module")
def rules() -> ParsedRules:
    return parsed_rules()


def found(parsed: ParsedRules, fmt: str, path: Path) -> dict[tuple[str, str, str], int]:
    fired: Counter[Fired] = play(parsed, [(fmt, path.read_bytes())])
    return {(one.severity, one.title, one.entity): count for one, count in fired.items()}


def test_the_benign_parts_of_the_log_of_logins_stay_quiet(rules: ParsedRules, shared_data: Path) -> None:
    """7,121 lines of a server on the Internet, whose authors also attacked it once."""
    seen = found(rules, "syslog", shared_data / "elastic-examples" / "auth.log")
    assert seen == {finding: count for finding, (count, _why) in AUTH_LOG.items()}


@pytest.mark.parametrize("name", AUDIT_LOGS)
def test_what_real_audit_logs_tell(name: str, rules: ParsedRules, shared_data: Path) -> None:
    expected = {finding: count for finding, (count, _why) in AUDIT_LOGS[name].items()}
    assert found(rules, "auditd", shared_data / name) == expected


@pytest.mark.parametrize("name", QUIET_LOGS)
def test_real_audit_logs_of_nothing_tell_nothing(name: str, rules: ParsedRules, shared_data: Path) -> None:
    assert found(rules, "auditd", shared_data / name) == {}


def test_a_button_that_was_pressed_four_times(rules: ParsedRules, shared_data: Path) -> None:
    """JSON records of the kernel's button (sysrq), pressed by Splunk's attack range."""
    seen = found(rules, "json", shared_data / "splunk-attack_data" / "linux_sysrq_abuse_linux_sysrq_abuse.log")
    assert seen == {("medium", "Kernel told to restart or stop at once", "host=web-1"): 4}


def test_single_events_of_many_kinds(rules: ParsedRules, shared_data: Path) -> None:
    """open-xp-rules: one event per file, of every kind; only what stands in OPEN_XP is more than work."""
    seen = {}
    for path in sorted((shared_data / "open-xp-rules").rglob("raw_*.txt")):
        raw = json.loads(path.read_text())
        stamp = f"audit({raw['timestamp']}.{raw.get('timestampfractional', '000')}:{raw['eventid']})"
        items = [(kind, text) for kind, texts in raw["items"].items() for text in texts if kind != "EOE"]
        lines = "".join(f"type={kind} msg={stamp}: {text}\n" for kind, text in items)
        titles = {fired.title for fired in play(rules, [("auditd", lines.encode())])} - {"Audit records lost"}
        if titles:
            seen[f"{path.parent.parent.name}/{path.stem}"] = titles
    assert seen == {name: {title} for name, (title, _why) in OPEN_XP.items()}
