"""A name is believed only as far as journald saw who bears it."""

import pytest

from daemon.events.vouching import Trust, judge

ROOT = {"_TRANSPORT": "syslog", "_UID": "0"}
USER = {"_TRANSPORT": "syslog", "_UID": "1000"}


def by(exe: str, comm: str = "", **more: str) -> dict[str, str]:
    return {**ROOT, "_EXE": exe, "_COMM": comm or exe.rpartition("/")[2][:15], **more}


@pytest.mark.parametrize(
    ("program", "fields"),
    [
        ("sshd", by("/usr/sbin/sshd")),
        ("sshd", by("/usr/bin/sshd")),  # Arch
        ("sshd", by("/usr/sbin/sshd (deleted)")),  # updated while it runs
        ("sshd", by("/nix/store/0c7v-openssh-9.9/bin/sshd")),
        ("sshd-session", by("/usr/lib/openssh/sshd-session")),
        ("sshd-auth", by("/usr/libexec/openssh/sshd-auth")),
        ("sshd", {**ROOT, "_COMM": "sshd"}),  # the process had ended
        ("sshd", {**ROOT}),
        ("CRON", by("/usr/sbin/cron", "cron")),
        ("crond", by("/usr/sbin/crond")),
        ("crond", by("/bin/busybox", "crond")),
        ("sudo", by("/usr/bin/sudo", _UID="1000")),  # setuid: the user id is the caller's
        ("sudo", by("/usr/lib/cargo/bin/sudo", _UID="1000")),
        ("su", by("/usr/bin/su", _UID="1000")),
        ("passwd", by("/usr/bin/passwd", _UID="1000")),
        ("systemd", by("/usr/lib/systemd/systemd")),
        ("(sd-pam)", by("/usr/lib/systemd/systemd", "(sd-pam)")),
        ("systemd-logind", by("/usr/lib/systemd/systemd-logind")),
        ("gdm-password]", by("/usr/libexec/gdm-session-worker", "gdm-session-wor")),
        ("adduser", by("/usr/bin/perl", "adduser")),
        ("polkitd", by("/usr/lib/polkit-1/polkitd", _UID="998")),
        ("kernel", {"_TRANSPORT": "kernel"}),
        ("audit", {"_TRANSPORT": "audit", "_UID": "0"}),
        ("systemd-journald", {"_TRANSPORT": "driver", "_UID": "0"}),
        ("myapp", by("/home/bob/myapp", _UID="1000")),  # a name worth no lie
    ],
)
def test_the_real_ones_are_vouched_for(program: str, fields: dict[str, str]) -> None:
    assert judge(program, fields) is Trust.vouched


@pytest.mark.parametrize(
    ("program", "fields"),
    [
        ("sshd", by("/usr/bin/logger")),  # by root, too
        ("sshd", by("/usr/bin/logger", _UID="1000")),
        ("sshd", by("/usr/bin/python3.11", "sshd", _UID="1000")),
        ("sshd", by("/home/bob/sshd", _UID="1000")),
        ("sshd", by("/tmp/usr/sbin/sshd")),
        ("sshd", by("/memfd:sshd (deleted)")),
        ("sshd", by("/usr/bin/busybox", "logger")),
        ("sudo", by("/usr/bin/perl", "sudo", _UID="1000")),  # perl -e '$0 = "sudo"'
        ("su", by("/usr/bin/busybox", "su", _UID="1000")),  # echo su > /proc/self/comm
        ("passwd", by("/usr/bin/python3", "passwd", _UID="1000")),
        ("sshd", {**USER, "_COMM": "logger"}),
        ("sshd", {**ROOT, "_COMM": "logger"}),
        ("CRON", by("/usr/sbin/cron", "cron", _UID="1000")),
        ("CRON", {**USER}),  # only root's cron is called that
        ("sudo", by("/usr/bin/logger", _UID="1000")),
        ("su", by("/usr/bin/sudo", _UID="1000")),
        ("useradd", by("/usr/sbin/useradd", _UID="1000")),
        ("systemd-logind", {**USER, "_COMM": "systemd-logind"}),
        ("systemd", by("/usr/bin/systemd-cat", _TRANSPORT="stdout", _UID="1000")),
        ("kernel", by("/usr/bin/logger")),
        ("kernel", {"_TRANSPORT": "journal", "_UID": "0"}),
        ("audit", by("/usr/bin/logger")),
        ("auditd", by("/usr/bin/logger")),
        ("/usr/sbin/sshd", by("/usr/bin/logger")),
        ("SSHD", by("/usr/bin/logger")),
        ("login", by("/usr/bin/logger", _UID="1000")),
    ],
)
def test_who_takes_a_name_is_found_out(program: str, fields: dict[str, str]) -> None:
    trust = judge(program, fields)
    assert trust is Trust.forged
    assert not trust.believed


@pytest.mark.parametrize(("action", "trust"), [("login", Trust.forged), ("login_failed", Trust.forged),
    ("disconnect", Trust.vouched), ("", Trust.vouched)])  # fmt: skip
def test_only_roots_part_of_sshd_says_who_may_log_in(action: str, trust: Trust) -> None:
    """Also against who becomes /usr/sbin/sshd just after sending: that moves `_EXE`, and not `_UID`."""
    assert judge("sshd", by("/usr/sbin/sshd", _UID="1000"), action=action) is trust


def test_what_nobody_saw_is_unproven_and_what_has_no_journal_is_not_judged() -> None:
    assert judge("sudo", {**USER}) is Trust.unproven
    assert judge("sudo", {**USER, "_COMM": "sudo"}) is Trust.unproven
    assert judge("systemd", {"_TRANSPORT": "kernel"}) is Trust.unproven  # root may write to /dev/kmsg
    assert judge("sshd", {}) is Trust.unjudged
    assert all(trust.believed for trust in (Trust.unproven, Trust.unjudged, Trust.relayed))


def test_who_speaks_for_others_is_no_forger() -> None:
    assert judge("sshd", by("/usr/sbin/rsyslogd")) is Trust.relayed
    assert judge("sshd", by("/usr/bin/dockerd")) is Trust.container
    assert judge("cron", by("/usr/bin/conmon", _UID="1000")) is Trust.container
    assert judge("sshd", by("/home/bob/rsyslogd", _UID="1000")) is Trust.forged
    own = by("/usr/sbin/rsyslogd", _UID="104", _SYSTEMD_UNIT="rsyslog.service")  # Ubuntu's runs as the user syslog
    assert judge("sshd", own) is Trust.relayed
    for unit in ("session-3.scope", "user@1000.service", "apache2.service", "rsyslog.scope"):  # `rsyslogd -f my.conf`
        assert judge("sshd", {**own, "_SYSTEMD_UNIT": unit}) is Trust.forged
    assert judge("systemd", by("/usr/lib/systemd/systemd", _UID="1000")) is Trust.user


def test_the_words_of_pam_are_believed_of_programs_that_are_what_they_say() -> None:
    assert judge("cockpit-session", by("/usr/libexec/cockpit-session"), of_auth=True) is Trust.vouched
    assert judge("foo", by("/usr/bin/logger", _UID="1000"), of_auth=True) is Trust.forged
    assert judge("foo", by("/opt/x/y"), of_auth=True) is Trust.unproven  # root's, under another name


def test_numbers_as_other_forwarders_write_them() -> None:
    assert judge("sshd", {"_UID": 0, "_EXE": "/usr/sbin/sshd"}) is Trust.vouched
    assert judge("sshd", {"_UID": True, "_EXE": None, "_COMM": ("a",)}) is Trust.unjudged


ID = "4f0c9d3e2b1a" * 5 + "4f0c"


@pytest.mark.parametrize(
    "group",
    [
        f"/system.slice/docker-{ID}.scope",
        f"/docker/{ID}",
        f"/machine.slice/libpod-{ID}.scope/container",
        f"/user.slice/user-1000.slice/user@1000.service/user.slice/libpod-{ID}.scope",
        f"/kubepods.slice/kubepods-burstable.slice/kubepods-burstable-pod7.slice/cri-containerd-{ID}.scope",
        f"/kubepods/besteffort/pod7/{ID}",
        f"/kubepods-besteffort.slice/crio-{ID}.scope",
        f"/system.slice/nerdctl-{ID}.scope",
        "/lxc.payload.web/system.slice/ssh.service",
        "/lxc/web",
        "/machine.slice/systemd-nspawn@web.service/payload/system.slice/ssh.service",
    ],
)
@pytest.mark.parametrize(("program", "exe"), [("sshd", "/usr/sbin/sshd"), ("sudo", "/usr/bin/sudo"), ("x", "/bin/x")])
def test_root_of_a_container_is_not_the_hosts(group: str, program: str, exe: str) -> None:
    """The worst bug: who is root in a container with the host's /dev/log would be believed as the host's sshd."""
    assert judge(program, by(exe, _SYSTEMD_CGROUP=group), of_auth=True) is Trust.container
    relay = by("/usr/sbin/rsyslogd", _SYSTEMD_CGROUP=group)
    assert judge("sshd", relay) is Trust.container


@pytest.mark.parametrize(
    "label",
    [
        "system_u:system_r:container_t:s0:c1,c2",
        "system_u:system_r:spc_t:s0",
        "docker-default (enforce)",
        "containers-default-0.57.4 (enforce)",
        "cri-containerd.apparmor.d (enforce)",
        "lxc-container-default-cgns",
    ],
)
def test_the_label_tells_of_a_container_when_the_process_has_ended(label: str) -> None:
    assert judge("sshd", {**ROOT, "_SELINUX_CONTEXT": label}) is Trust.container


@pytest.mark.parametrize(
    "more",
    [
        {"_SYSTEMD_CGROUP": "/system.slice/ssh.service"},
        {"_SYSTEMD_CGROUP": "/user.slice/user-1000.slice/session-3.scope"},
        {"_SYSTEMD_CGROUP": "/system.slice/docker.service"},
        {"_SYSTEMD_CGROUP": "/system.slice/docker-cleanup.service"},
        {"_SYSTEMD_CGROUP": "/system.slice/lxc.service"},
        {"_SYSTEMD_CGROUP": "/"},
        {"_SELINUX_CONTEXT": "unconfined"},
        {"_SELINUX_CONTEXT": "system_u:system_r:sshd_t:s0-s0:c0.c1023"},
        {"_SELINUX_CONTEXT": "system_u:system_r:container_runtime_t:s0"},
    ],
)
def test_what_is_the_hosts_stays_the_hosts(more: dict[str, str]) -> None:
    assert judge("sshd", by("/usr/sbin/sshd", **more)) is Trust.vouched


def test_a_name_worth_no_lie_may_be_of_a_container() -> None:
    assert judge("myapp", by("/app/myapp", _SYSTEMD_CGROUP=f"/docker/{ID}")) is Trust.vouched
    assert judge("kernel", {"_TRANSPORT": "kernel", "_SYSTEMD_CGROUP": f"/docker/{ID}"}) is Trust.vouched
