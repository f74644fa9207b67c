"""A field that cannot be there is told, and one that may be there never."""

import pytest

from daemon.detection.known_fields import KNOWN_CATEGORIES, KNOWN_SERVICES, doubt, fields_of, meant, single_in
from daemon.model import Logsource
from daemon.model.audit_keys import AUDIT_KEYS
from daemon.model.fields import CATEGORIES, SERVICES

PROCESS = Logsource(category="process_creation")
SSHD = Logsource(service="sshd")
SUDO = Logsource(service="sudo")
AUDITD = Logsource(service="auditd")
HOST = Logsource(category="host_metrics")
FILES = Logsource(category="file_event")
CONNECTIONS = Logsource(category="network_connection")
LOSS = Logsource(category="evidence_loss")


def said(field: str, logsource: Logsource, *, json_lines: bool = False, journal: bool = False) -> str:
    return doubt(field, logsource, json_lines=json_lines, journal=journal)


@pytest.mark.parametrize(
    ("field", "logsource", "meant_field"),
    [
        ("ComandLine", PROCESS, "CommandLine"),
        ("CommandLien", PROCESS, "CommandLine"),
        ("Usr", PROCESS, "User"),
        ("parent_image", PROCESS, "ParentImage"),
        ("scr_ip", SSHD, "src_ip"),
        ("COMAND", SUDO, "COMMAND"),
        ("sucess", AUDITD, "success"),
        ("cpu.precent", HOST, "cpu.percent"),
        ("cpu.percent.zscor", HOST, "cpu.percent.zscore"),
        ("sourc", LOSS, "source"),
        ("ComandLine", Logsource(), "CommandLine"),
    ],
)
def test_a_slip_of_the_keyboard_is_told_whatever_is_read(field: str, logsource: Logsource, meant_field: str) -> None:
    for open_to in (False, True):
        assert said(field, logsource, json_lines=open_to, journal=open_to).endswith(
            f"(got {field}) – did you mean {meant_field}?"
        )


@pytest.mark.parametrize(
    ("field", "logsource", "expected"),
    [
        ("src_ip", PROCESS, "expected a field of process_creation (got src_ip)"),
        ("CommandLine", SSHD, "expected a field of service sshd (got CommandLine)"),
        ("CommandLine", AUDITD, "expected a field of service auditd (got CommandLine)"),
        ("source_ip", SSHD, "expected a field of service sshd (got source_ip) – did you mean src_ip?"),
        ("username", SSHD, "expected a field of service sshd (got username) – did you mean user?"),
    ],
)
def test_a_field_of_another_logsource_is_told_where_only_our_own_events_are_read(
    field: str, logsource: Logsource, expected: str
) -> None:
    assert said(field, logsource) == expected
    assert said(field, logsource, json_lines=True) == ""


def test_readings_and_losses_are_ours_alone() -> None:
    assert said("cpu.usage", HOST, json_lines=True, journal=True)
    assert said("reason", LOSS, json_lines=True, journal=True)


def test_case_is_told_as_case() -> None:
    assert said("commandline", PROCESS, json_lines=True).startswith("expected CommandLine: ")
    assert said("src-ip", SSHD).endswith("– did you mean src_ip?")
    assert said("commandline", PROCESS) == "expected CommandLine: names of fields keep their case (got commandline)"
    assert said("USER", SSHD) == "expected user: names of fields keep their case (got USER)"


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("Type", "expected type: "), ("EXE", "expected exe: "), ("Syscall", "expected SYSCALL or syscall: "),
    ],
)  # fmt: skip
def test_records_of_auditd_keep_their_case_where_nothing_else_is_read(field: str, expected: str) -> None:
    assert said(field, AUDITD).startswith(expected)
    assert said(field, AUDITD, json_lines=True) == ""


def test_of_two_that_differ_in_case_both_are_named() -> None:
    assert said("User", SUDO) == "expected USER or user: names of fields keep their case (got User)"


@pytest.mark.parametrize(
    ("field", "logsource", "meant_field"),
    [
        ("exe", PROCESS, "Image"), ("ProcessName", PROCESS, "Image"), ("cwd", PROCESS, "CurrentDirectory"),
        ("a0", PROCESS, "CommandLine"), ("ParentProcessName", PROCESS, "ParentImage"), ("path", FILES, "TargetFilename"),
        ("Filename", FILES, "TargetFilename"), ("dst_ip", CONNECTIONS, "DestinationIp"), ("dport", CONNECTIONS, "DestinationPort"),
        ("client_ip", SSHD, "src_ip"), ("msg", SSHD, "Message"), ("TargetUserName", SSHD, "user"),
        ("gpu.temp", Logsource(category="gpu_metrics"), "gpu.temperature_celsius"),
        ("disk.inodes", HOST, "disk.inodes_free"),
    ],
)  # fmt: skip
def test_what_others_call_it_or_how_it_begins_is_what_was_meant(
    field: str, logsource: Logsource, meant_field: str
) -> None:
    assert said(field, logsource).endswith(f"(got {field}) – did you mean {meant_field}?")


@pytest.mark.parametrize("source", [Logsource(service="sshd"), HOST, Logsource("windows", "process_creation")])
def test_which_fields_have_one_value_is_known_of_events_made_here_alone(source: Logsource) -> None:
    assert single_in(source) == frozenset()
    assert {"CommandLine", "User"} < single_in(PROCESS)
    assert "Image" not in single_in(PROCESS)  # the program and the link to it


@pytest.mark.parametrize("field", ["MESSAGE", "USER", "UNIT", "PRIORITY"])
def test_the_journal_s_own_fields_are_no_slips(field: str) -> None:
    assert said(field, Logsource(service="syslog"), journal=True) == ""


@pytest.mark.parametrize("field", ["message", "Program", "cgid", "hostName", "User"])
@pytest.mark.parametrize("service", ["syslog", "auditd", ""])
def test_other_tools_own_fields_are_no_slips(field: str, service: str) -> None:
    assert said(field, Logsource(service=service), json_lines=True) == ""


@pytest.mark.parametrize(
    ("field", "logsource"),
    [
        ("_UID", SSHD),
        ("__CURSOR", SSHD),
        ("IntegrityLevel", PROCESS),
        ("Hashes", PROCESS),
        ("DestinationHostname", Logsource(category="network_connection")),
        ("a17", AUDITD),
        ("prog-name", AUDITD),
        ("IUID", AUDITD),
        ("NEW-AUID", AUDITD),
        ("some_new_key", AUDITD),
        ("anything", Logsource(category="dns_query")),
        ("anything", Logsource("windows", "process_creation")),
        ("anything", Logsource(service="nginx")),
        ("anything", Logsource()),
        ("disk.free_bytes.seconds_to_zero", HOST),
        ("top.cpu", HOST),
    ],
)
def test_what_may_be_there_is_not_doubted(field: str, logsource: Logsource) -> None:
    assert said(field, logsource) == ""


@pytest.mark.parametrize("field", ["users", "Image2", "pod", "uri", "a", "b", "name2", "host"])
def test_a_plural_a_digit_or_a_short_name_is_another_name_where_json_is_read(field: str) -> None:
    assert said(field, PROCESS, json_lines=True) == said(field, SSHD, json_lines=True) == ""


def test_no_known_field_is_doubted() -> None:
    for category in KNOWN_CATEGORIES:
        for field in fields_of(Logsource(category=category)) or ():
            assert said(field, Logsource(category=category)) == ""
    for service in KNOWN_SERVICES:
        for field in fields_of(Logsource(service=service)) or ():
            assert said(field, Logsource(service=service)) == ""
    assert {*CATEGORIES} <= {*KNOWN_CATEGORIES}
    assert {"auditd", *SERVICES} == {*KNOWN_SERVICES}
    assert len(fields_of(AUDITD) or ()) > len(AUDIT_KEYS)


@pytest.mark.parametrize(
    ("name", "service"), [("ssh", "sshd"), ("su", "auth"), ("crond", "cron"), ("kernel", "syslog"), ("sudoo", "sudo")]
)
def test_services_by_other_names(name: str, service: str) -> None:
    assert meant(name, KNOWN_SERVICES) == f" – did you mean {service}?"
