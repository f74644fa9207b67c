"""What a rule sees: Sigma's services as their authors mean them."""

from pathlib import Path

import pytest
import yaml

from daemon.detection.routing import sees
from daemon.model import Logsource
from tests.doubles.detection import METRICS, PROCESS, SSHD

SERVICES = ("sshd", "sudo", "auth", "cron", "syslog", "clamav", "guacamole", "vsftpd", "auditd")


def test_a_rule_sees_what_has_all_that_it_asks_for() -> None:
    linux, sshd = Logsource("linux", "", ""), Logsource("linux", "", "sshd")
    for rule, event, seen in (
        (linux, SSHD, True), (linux, Logsource(), True), (linux, PROCESS, False), (linux, METRICS, False),
        (linux, Logsource("linux", "evidence_loss"), False), (sshd, SSHD, True), (sshd, Logsource(), False),
        (sshd, Logsource("linux", "", "sudo"), False), (PROCESS, PROCESS, True), (PROCESS, SSHD, False),
        (PROCESS, Logsource("linux", "process_creation", "auditd"), True), (Logsource("", "", "sshd"), SSHD, True),
        (Logsource("linux", "", "auditd"), Logsource("linux", "process_creation", "auditd"), False),
        (Logsource("windows", "process_creation"), PROCESS, False), (sshd, Logsource("Linux", "", "SSHD"), True),
        (Logsource("", "process_creation"), PROCESS, True),
    ):  # fmt: skip
        assert sees(rule, event) is seen, (rule, event)


@pytest.mark.parametrize(
    ("rule", "seen"),
    [
        ("auth", {"auth", "sshd", "sudo"}),
        ("syslog", {"syslog", "cron", "clamav", "guacamole", "vsftpd"}),
        *((service, {service}) for service in SERVICES if service not in {"auth", "syslog"}),
        ("", set(SERVICES)),
        ("other", set()),
    ],
)
def test_a_service_that_is_a_file_means_what_stands_in_it(rule: str, seen: set[str]) -> None:
    asked = Logsource("linux", "", rule)
    assert {service for service in SERVICES if sees(asked, Logsource("linux", "", service))} == seen
    assert {service for service in SERVICES if sees(asked, Logsource("Linux", "", service.upper()))} == seen
    assert not any(sees(asked, Logsource("windows", "", service)) for service in SERVICES)


def test_no_line_is_in_two_files() -> None:
    auth, syslog = Logsource("linux", "", "auth"), Logsource("linux", "", "syslog")
    assert not any(sees(auth, event) and sees(syslog, event) for event in (Logsource(service=s) for s in SERVICES))


def test_what_is_synthesised_belongs_to_no_file() -> None:
    for service in ("auth", "syslog"):
        assert not sees(Logsource("linux", "", service), Logsource("linux", "process_creation", "sshd"))
        assert not sees(Logsource("linux", "process_creation", service), Logsource("linux", "process_creation", "sudo"))


def test_every_service_that_sigmahq_names_is_one_that_events_have(shared_data: Path) -> None:
    """Loaded without pySigma, so that what a rule asks for is not read by what is under test."""
    asked = set()
    for path in (shared_data / "sigma-rules").rglob("*.yml"):
        for document in yaml.safe_load_all(path.read_text(encoding="utf-8")):
            source = document.get("logsource", {})
            if source.get("product") == "linux" and source.get("service"):
                asked.add(source["service"])
    assert asked == set(SERVICES)
