"""Programs and their services."""

import pytest

from daemon.events.programs import is_account_tool, plain_name, service_of


@pytest.mark.parametrize(
    ("program", "facility", "service"),
    [
        *((name, None, "sshd") for name in ("sshd", "sshd-session", "sshd-auth", "internal-sftp", "/usr/sbin/sshd")),
        ("sshd", 10, "sshd"),
        ("sudo", 10, "sudo"),
        *((name, None, "auth") for name in ("su", "su-l", "useradd", "passwd", "systemd-logind", "pkexec", "login")),
        *((name, None, "auth") for name in ("gdm-password]", "polkitd(authority=local)", "gdm-launch-environment")),
        *((name, None, "cron") for name in ("cron", "CRON", "crontab", "crond", "CROND", "/usr/sbin/CRON")),
        ("CRON", 9, "cron"),
        ("CRON", 10, "auth"),
        ("vsftpd", None, "vsftpd"),
        ("clamd", None, "clamav"),
        ("guacd", None, "guacamole"),
        ("something", 10, "auth"),
        ("something", 4, "auth"),
        ("something", 9, "cron"),
        ("something", 3, "syslog"),
        ("kernel", None, "syslog"),
        ("systemd", None, "syslog"),
        ("", None, "syslog"),
    ],
)
def test_services(program: str, facility: int | None, service: str) -> None:
    assert service_of(program, facility) == service


@pytest.mark.parametrize(
    ("program", "name"),
    [
        ("/usr/sbin/CRON", "cron"), ("polkitd(authority=local)", "polkitd"), ("gdm-password]", "login"), ("(systemd)", "(systemd)"),
        ("postfix/smtpd", "postfix/smtpd"), ("", ""), ("]", ""),
    ],
)  # fmt: skip
def test_plain_names(program: str, name: str) -> None:
    assert plain_name(program) == name


def test_account_tools() -> None:
    assert is_account_tool("useradd")
    assert not is_account_tool("sshd")
