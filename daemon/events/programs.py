"""Which of Sigma's services a program's lines belong to, whatever the log calls the program."""

from functools import lru_cache

_ACCOUNT_TOOLS = (
    *("useradd", "usermod", "userdel", "groupadd", "groupmod", "groupdel", "passwd", "chpasswd", "chgpasswd", "chage"),
    *("gpasswd", "newusers", "chfn", "chsh", "adduser", "addgroup", "deluser", "delgroup", "newgrp", "vipw", "vigr"),
    *("groupmems", "usermod.real"),
)
_LOGIN_TOOLS = (
    *("su", "su-l", "runuser", "runuser-l", "doas", "login", "sulogin", "systemd-logind", "elogind", "polkitd"),
    *("pkexec", "lightdm", "sddm", "sddm-helper", "kdm", "xrdp-sesman", "polkit-agent-helper-1", "unix_chkpwd"),
    *("dropbear", "sssd", "sssd_be", "krb5kdc", "systemd-user", "faillock", "realmd", "pam_unix"),
)
_SSHD = ("sshd", "sshd-session", "sshd-auth", "internal-sftp", "sftp-server")
_SERVICES = {
    **dict.fromkeys(_SSHD, "sshd"),
    **dict.fromkeys(("sudo", "sudoedit"), "sudo"),
    **dict.fromkeys((*_ACCOUNT_TOOLS, *_LOGIN_TOOLS), "auth"),
    **dict.fromkeys(("cron", "crond", "crontab", "anacron", "atd"), "cron"),
    "vsftpd": "vsftpd",
    **dict.fromkeys(("clamd", "clamav", "clamscan", "clamonacc", "clamav-milter", "freshclam"), "clamav"),
    **dict.fromkeys(("guacd", "guacamole"), "guacamole"),
}
_AUTH_FACILITIES = frozenset({4, 10})
_CRON_FACILITY = 9


def is_account_tool(program: str) -> bool:
    """Whether a program (by its plain name) is one that changes accounts."""
    return program in _ACCOUNT_TOOLS


def is_known_program(program: str) -> bool:
    """Whether a program (by its plain name) has a service of its own: one in whose name it is worth to lie."""
    return program in _SERVICES


def service_of(program: str, facility: int | None = None) -> str:
    """Sigma's service of a syslog line by its program, else by its facility; `syslog` for all else.

    What cron logs as auth or authpriv (PAM's words) is not in cron's log, so it is `auth`.
    """
    known = _SERVICES.get(plain_name(program), "")
    if facility in _AUTH_FACILITIES and known in {"", "cron"}:
        return "auth"
    return known or ("cron" if facility == _CRON_FACILITY else "syslog")


@lru_cache(maxsize=1024)
def plain_name(program: str) -> str:
    """The name that a program is known by: `/usr/sbin/CRON`, `polkitd(authority=local)`, `gdm-password]` and alike.

    A display manager's helpers are all `login`, whose words they use.
    """
    name = program.rpartition("/")[2] if program.startswith("/") else program
    name = name.rstrip("]:").lower()
    if "(" in name and not name.startswith("("):
        name = name.partition("(")[0]
    return "login" if name == "gdm" or name.startswith("gdm-") else name
