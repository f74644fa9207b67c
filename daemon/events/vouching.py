"""Who really said it: what journald saw of the sender, against the name that a message gives itself.

Anybody may write `logger -t sshd 'Accepted password for root …'`. journald adds what it saw itself, in fields that
begin with an underscore and that no client can set (systemd.journal-fields(7)). `_UID` comes with the message from the
kernel and cannot be bent. `_EXE` and `_COMM` are read from /proc a moment later: a process that has ended has none, and
one that becomes another program in that moment, or shows another file in a mount namespace of its own, has wrong ones.
So what only root's daemons say is believed of user id 0 alone, and for setuid programs (sudo, su, passwd), which run
with the user id of whoever calls them, the path must do.

Root within a container is user id 0 too, and its /usr/sbin/sshd a file of its own: who may write to the host's socket
from there (`-v /dev/log:/dev/log`) is told by the control group (`_SYSTEMD_CGROUP`, from /proc as well) and by the
label that comes with the message (`_SELINUX_CONTEXT`, AppArmor's too). A process of it that ends before journald looks,
where no label is, cannot be told from one of the host.
"""

import re
from collections.abc import Mapping
from enum import StrEnum
from functools import lru_cache

from daemon.events.programs import is_known_program, plain_name
from daemon.model import Value


class Trust(StrEnum):
    """How much a message is its program's own."""

    unjudged = ""
    """Nothing is known of the sender: no journal, or a forwarder dropped the fields."""
    vouched = "vouched"
    """What journald saw fits the claim."""
    unproven = "unproven"
    """Nothing that journald saw speaks against the claim, and nothing proves it: the process had ended."""
    relayed = "relayed"
    """A syslog daemon handed on what it received, perhaps of another host."""
    container = "container"
    """A container, or its engine for it: there a program is called what one likes."""
    user = "user"
    """A user's own service manager, which is no authority on the system's units."""
    forged = "forged"
    """Another program, or another user, than the one that the message claims to be of."""

    @property
    def believed(self) -> bool:
        """Whether the message is read as the program's that it names."""
        return self in {Trust.unjudged, Trust.vouched, Trust.unproven, Trust.relayed}


_SYSTEM = ("/usr/", "/bin/", "/sbin/", "/lib/", "/lib64/", "/opt/", "/nix/store/", "/gnu/store/", "/snap/")
"""Where only root may put programs."""
_RELAYS = frozenset({"rsyslogd", "syslog-ng", "syslogd", "systemd-journal-remote", "systemd-journald"})
_RELAY_UNITS = ("rsyslog", "syslog", "systemd-journal")
_ENGINES = frozenset(
    {
        "dockerd",
        "docker-containerd",
        "containerd",
        "containerd-shim",
        "containerd-shim-runc-v2",
        "conmon",
        "podman",
        "crio",
    }
)
_MANY_IN_ONE = frozenset({"busybox", "toybox", "coreutils", "dropbearmulti", "perl", "python3"})
"""One file for many programs, or the interpreter of a script: there the process's name decides, if it is root's."""
_SYSTEMD = frozenset({"systemd", "systemd-executor", "systemd-shutdown", "init"})
_SSHD = frozenset({"sshd", "sshd-session", "sshd-auth", "sshd.bin"})
_GDM = frozenset({"login", "gdm", "gdm3", "gdm-session-worker", "agetty"})
_SAID_BY: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("sshd", "sshd-session", "sshd-auth", "internal-sftp"), _SSHD),
    "sftp-server": _SSHD | {"sftp-server"},
    **dict.fromkeys(("sudo", "sudoedit"), frozenset({"sudo", "sudo-rs", "sudo.ws", "sudoedit"})),
    **dict.fromkeys(("su", "su-l", "runuser", "runuser-l"), frozenset({"su", "su-rs", "runuser"})),
    **dict.fromkeys(("cron", "crond"), frozenset({"cron", "crond"})),
    "crontab": frozenset({"crontab", "cron", "crond"}),
    "login": _GDM,
    **dict.fromkeys(("systemd", "systemd-user", "init"), _SYSTEMD),
    **dict.fromkeys(("auditd", "audispd", "audisp-syslog"), frozenset({"auditd", "audispd", "audisp-syslog"})),
    "polkit-agent-helper-1": frozenset({"polkit-agent-helper-1", "polkit-agent-helper"}),
    "clamav": frozenset({"clamd", "clamscan", "clamonacc", "clamav-milter", "freshclam"}),
}
"""Claim → programs whose claim it may be; any other known claim is that of the program of the same name."""
_MORE_CLAIMS = frozenset({"systemd", "init", "auditd", "audispd", "audisp-syslog", "audit", "sysmon"})
_ANY_USER = frozenset(
    {
        *("sudo", "sudoedit", "su", "su-l", "runuser", "runuser-l", "doas", "pkexec", "unix_chkpwd", "crontab"),
        *(
            "passwd",
            "chfn",
            "chsh",
            "chage",
            "gpasswd",
            "newgrp",
            "polkitd",
            "polkit-agent-helper-1",
            "sssd",
            "sssd_be",
        ),
        *("clamd", "clamav", "clamscan", "clamonacc", "clamav-milter", "freshclam", "guacd", "guacamole", "vsftpd"),
        *("krb5kdc", "sftp-server", "internal-sftp", "atd", "dropbear", "sddm", "lightdm", "kdm", "faillock"),
    }
)
"""Claims of setuid programs, of daemons with an account of their own, and of what runs in a user's session."""
_AFTER_LOGIN = frozenset({"disconnect", "session", "session_closed", "subsystem"})
"""What the part of sshd says that runs as the user who is logged in; who may log in, its root part says."""
_CONTAINED = re.compile(
    r"/(?:docker|lxc|kubepods|machine\.slice|kubepods[^/]*\.slice|lxc\.payload[^/]*|"
    r"(?:docker|libpod|podman|nerdctl|crio|cri-containerd)-[0-9a-f]{12,64}(?:\.scope)?)(?:/|\Z)"
)
"""In a control group's path: what Docker, Podman, Kubernetes, LXC and systemd-nspawn put containers under."""
_CONTAINED_LABEL = re.compile(
    r"[^:]*:[^:]*:(?:container(?:_init|_kvm)?_t|svirt_lxc_net_t|spc_t)(?::|\Z)|"
    r"(?:docker-default|containers-default-[0-9.]+|cri-containerd\.apparmor\.d|lxc-container-[a-z-]+)(?: |\Z)"
)
_COMM = 15  # characters of a process's name that the kernel keeps


def judge(program: str, fields: Mapping[str, Value], *, action: str = "", of_auth: bool = False) -> Trust:
    """How far a message of `program` can be believed. `action` is what it would be read as; `of_auth` says that its
    words are PAM's, which would make it one of the logins' log although the program is not known for that.
    """
    transport, uid, exe, comm = (_text(fields, key) for key in ("_TRANSPORT", "_UID", "_EXE", "_COMM"))
    if not (transport or uid or exe or comm):
        return Trust.unjudged
    name = plain_name(program)
    if name in {"kernel", "audit"} or transport in {"kernel", "audit", "driver"}:
        return _of_transport(name, transport)
    claimed = is_claim(name)
    if not claimed and not of_auth:
        return Trust.vouched
    path = exe.removesuffix(" (deleted)")  # a program that was updated while it runs
    seen = Trust.container if is_contained(fields) else _seen(name, path, comm)
    if uid not in {"", "0"} and _of_users_making(seen, path, _text(fields, "_SYSTEMD_UNIT")):
        return Trust.forged
    if seen is not Trust.vouched:
        return seen if claimed or seen is not Trust.forged or uid != "0" else Trust.unproven
    return _of_user(name, uid, action, proven=bool(path))


def is_claim(program: str) -> bool:
    """Whether a name (plain) is one that must be vouched for."""
    return is_known_program(program) or program in _MORE_CLAIMS


def is_contained(fields: Mapping[str, Value]) -> bool:
    """Whether journald saw that the sender runs in a container."""
    group, label = _text(fields, "_SYSTEMD_CGROUP"), _text(fields, "_SELINUX_CONTEXT")
    return _CONTAINED.search(group) is not None or _CONTAINED_LABEL.match(label) is not None


def _of_users_making(seen: Trust, path: str, unit: str) -> bool:
    """Whether any user could have made what was seen: a script that calls itself sudo (perl's `$0 = "sudo"`), a syslog
    daemon that is run with a configuration of one's own and not by the system's unit.
    """
    if seen is Trust.relayed:
        return not (unit.startswith(_RELAY_UNITS) and unit.endswith(".service"))
    return seen is Trust.vouched and _is_shared(path.rpartition("/")[2])


def _is_shared(base: str) -> bool:
    return base.rstrip("0123456789.") in _MANY_IN_ONE or base in _MANY_IN_ONE


def _of_transport(name: str, transport: str) -> Trust:
    """The kernel, the audit socket and journald speak through doors of their own; to the kernel's, root may write."""
    if name == "kernel":
        return Trust.vouched if transport in {"", "kernel"} else Trust.forged
    if name == "audit":
        return Trust.vouched if transport in {"", "audit", "kernel"} else Trust.forged
    return Trust.unproven if transport == "kernel" else Trust.vouched


@lru_cache(maxsize=4096)
def _seen(name: str, path: str, comm: str) -> Trust:
    """Whether program and process fit the name."""
    allowed = _SYSTEMD if name.startswith("(") else _SAID_BY.get(name, frozenset({name}))
    if not path:
        child = name.startswith("(") and comm.startswith("(")  # of systemd, before it becomes the service's program
        known = not comm or child or plain_name(comm) in {one[:_COMM] for one in allowed}
        return Trust.vouched if known else Trust.forged
    base = path.rpartition("/")[2]
    at_home = path.startswith(_SYSTEM)
    if at_home and base in _RELAYS:
        return Trust.relayed
    if at_home and base in _ENGINES:
        return Trust.container
    if _is_shared(base):
        base = comm if comm == name[:_COMM] else base
        return Trust.vouched if at_home and base in {one[:_COMM] for one in allowed} else Trust.forged
    return Trust.vouched if at_home and base in allowed else Trust.forged


def _of_user(name: str, uid: str, action: str, *, proven: bool) -> Trust:
    """Whether whoever ran it may say so."""
    if not uid or uid == "0":
        return Trust.vouched if proven or uid else Trust.unproven
    if name in {"systemd", "systemd-user", "init"} or name.startswith("("):
        return Trust.user
    if name in _ANY_USER:
        return Trust.vouched if proven else Trust.unproven
    if name in _SSHD and (not action or action in _AFTER_LOGIN):
        return Trust.vouched if proven else Trust.unproven
    return Trust.forged


def _text(fields: Mapping[str, Value], key: str) -> str:
    value = fields.get(key)
    return str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
