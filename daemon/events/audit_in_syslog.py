"""Audit records that came through syslog → the fields that they would have in audit.log.

Three ways lead there. The kernel prints its records while no auditd listens (`audit: type=1400 audit(1.2:3): …`; what
Ubuntu's kern.log holds of AppArmor), auditd's syslog plugin hands on whole lines (`audispd: node=web1 type=AVC
msg=audit(…): …`), and journald reads the audit socket itself. A Sigma rule for `auditd` means the record, whichever
way it went, so these are events of that service, one a record.
"""

import re

from daemon.events.auditd import decode_execve, decode_record, parse_record
from daemon.events.kernel import without_stamp
from daemon.events.peers import Fields
from daemon.model import Position

RECORDERS = frozenset({"kernel", "audispd", "audisp-syslog", "auditd"})
"""Programs that hand records on, by their plain names."""

_PRINTED = re.compile(
    r"(?:audit: )?type=(?P<type>[0-9]{4}) (?P<stamp>audit\([0-9]{1,11}(?:\.[0-9]{1,9})?:[0-9]{1,10}\)): ?"
)
_LONG_WORD = re.compile(r"(?<![^ \"])[^ =\"]{513,}+(?!=)")
"""No record has a word that long without `=`; to look for keys in one takes time by the square of its length."""
_NOWHERE = Position("", "", 0)
_NAMES = {
    1006: "LOGIN",
    **dict(enumerate(("USER_AUTH", "USER_ACCT", "USER_MGMT", "CRED_ACQ", "CRED_DISP", "USER_START", "USER_END"), 1100)),
    **dict(enumerate(("USER_AVC", "USER_CHAUTHTOK", "USER_ERR", "CRED_REFR", "USYS_CONFIG", "USER_LOGIN"), 1107)),
    **dict(enumerate(("USER_LOGOUT", "ADD_USER", "DEL_USER", "ADD_GROUP", "DEL_GROUP", "DAC_CHECK", "CHGRP_ID"), 1113)),
    **dict(enumerate(("TEST", "TRUSTED_APP", "USER_SELINUX_ERR", "USER_CMD", "USER_TTY", "CHUSER_ID"), 1120)),
    **dict(enumerate(("GRP_AUTH", "SYSTEM_BOOT", "SYSTEM_SHUTDOWN", "SYSTEM_RUNLEVEL", "SERVICE_START"), 1126)),
    **dict(enumerate(("SERVICE_STOP", "GRP_MGMT", "GRP_CHAUTHTOK", "MAC_CHECK", "ACCT_LOCK", "ACCT_UNLOCK"), 1131)),
    **dict(enumerate(("USER_DEVICE", "SOFTWARE_UPDATE"), 1137)),
    1300: "SYSCALL",
    **dict(enumerate(("PATH", "IPC", "SOCKETCALL", "CONFIG_CHANGE", "SOCKADDR", "CWD"), 1302)),
    1309: "EXECVE",
    **dict(enumerate(("IPC_SET_PERM", "MQ_OPEN", "MQ_SENDRECV", "MQ_NOTIFY"), 1311)),
    **dict(enumerate(("MQ_GETSETATTR", "KERNEL_OTHER", "FD_PAIR", "OBJ_PID", "TTY", "EOE", "BPRM_FCAPS"), 1315)),
    **dict(enumerate(("CAPSET", "MMAP", "NETFILTER_PKT", "NETFILTER_CFG", "SECCOMP", "PROCTITLE"), 1322)),
    1328: "FEATURE_CHANGE",
    **dict(enumerate(("KERN_MODULE", "FANOTIFY", "TIME_INJOFFSET"), 1330)),
    **dict(enumerate(("TIME_ADJNTPVAL", "BPF", "EVENT_LISTENER", "URINGOP"), 1333)),
    **dict(enumerate(("AVC", "SELINUX_ERR", "AVC_PATH", "MAC_POLICY_LOAD", "MAC_STATUS", "MAC_CONFIG_CHANGE"), 1400)),
    **dict(enumerate(("APPARMOR_AUDIT", "APPARMOR_ALLOWED", "APPARMOR_DENIED", "APPARMOR_HINT"), 1501)),
    **dict(enumerate(("APPARMOR_STATUS", "APPARMOR_ERROR", "APPARMOR_KILL"), 1505)),
    **dict(enumerate(("ANOM_PROMISCUOUS", "ANOM_ABEND", "ANOM_LINK", "ANOM_CREAT"), 1700)),
}
"""Numbers of records → auditd's names (linux/audit.h; libaudit's table)."""


def is_record(program: str, message: str) -> bool:
    """Whether a message has the shape of a record, from a program that hands them on."""
    if program == "kernel":
        return "audit(" in message and _PRINTED.match(without_stamp(message)) is not None
    return program in RECORDERS and "type=" in message[:300] and " msg=audit(" in message[:400]


def parse_syslogged_record(program: str, message: str) -> Fields:
    """The record's fields, `type` by auditd's name; empty if it is none after all."""
    line = message if program != "kernel" else _as_auditd_writes(without_stamp(message))
    record = parse_record(line.encode("utf-8", "backslashreplace"), _NOWHERE)
    if record is None or _LONG_WORD.search(line):
        return {}
    return dict((decode_execve([record])[0] if record.kind == "EXECVE" else decode_record(record)).fields)


def _as_auditd_writes(message: str) -> str:
    head = _PRINTED.match(message)
    if head is None:
        return message
    number = int(head["type"])
    return f"type={_NAMES.get(number, f'UNKNOWN[{number}]')} msg={head['stamp']}: {message[head.end() :]}"
