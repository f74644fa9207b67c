"""Traces removed and defences switched off, as their authors do it: several ways for each family."""

from tests.doubles.attack_steps import Step, record, said, shell, steps, typed, wrote


def _config_change(text: str) -> Step:
    return record(f"type=CONFIG_CHANGE @ {text} auid=1000 ses=7 res=1")


DEFENCE_ATTACKS: dict[str, tuple[Step, ...]] = {
    "log clearing": (
        typed("rm -f /var/log/auth.log"),
        typed("truncate --size=0 /var/log/syslog"),
        shell("> /var/log/wtmp"),
        shell("cat /dev/null > /var/log/auth.log"),
        shell("echo -n '' >/var/log/secure", name="bash"),
        typed("shred -zu /var/log/audit/audit.log"),
        typed("ln -sf /dev/null /var/log/btmp"),
        typed("rm -rf /var/log"),
        typed("busybox rm /var/log/messages"),
        typed("journalctl --rotate --vacuum-time=1s"),
        shell("for f in /var/log/auth.log /var/log/syslog; do > $f; done"),
        typed(["sed", "-i", "/203.0.113.66/d", "/var/log/auth.log"]),
        shell(":>/var/log/lastlog", name="bash"),
    ),
    "history clearing": (
        shell("history -c && exit", name="bash"),
        typed("rm /root/.bash_history"),
        typed("ln -sf /dev/null /root/.bash_history"),
        shell("unset HISTFILE HISTSIZE", name="bash"),
        shell("export HISTFILE=/dev/null", name="bash"),
        shell("cat /dev/null > ~/.bash_history"),
        shell("> /home/bob/.zsh_history"),
        typed("shred -u /home/bob/.bash_history"),
        shell("HISTFILESIZE=0 HISTSIZE=0 bash", name="bash"),
        typed("busybox rm -f /root/.ash_history"),
    ),
    "auditd tampering": (
        typed("auditctl -e 0"),
        typed("/sbin/auditctl -D", called="/sbin/auditctl"),
        typed("systemctl stop auditd"),
        typed("service auditd stop"),
        typed("pkill -9 auditd"),
        shell("kill -9 $(pidof auditd)"),
        wrote("/etc/audit/rules.d/x.rules"),
        _config_change("op=set audit_enabled=0 old=1"),
        _config_change('op=remove_rule key="exec" list=4'),
    ),
    "firewall tampering": (
        typed("iptables -F"),
        typed("/sbin/iptables --flush", called="/sbin/iptables"),
        typed("ip6tables -P INPUT ACCEPT", exe="/usr/sbin/xtables-nft-multi"),
        typed("nft flush ruleset"),
        typed("nft delete table inet filter"),
        typed(["/usr/bin/python3", "/usr/sbin/ufw", "disable"]),
        typed("systemctl stop firewalld"),
        typed("systemctl --now disable nftables.service"),
        typed("iptables -X", "iptables -t nat -F", "iptables -P INPUT ACCEPT"),
        typed("service iptables stop"),
        typed("busybox iptables -F"),
    ),
    "guards switched off": (
        typed("setenforce 0"),
        typed("/usr/sbin/setenforce permissive", called="/usr/sbin/setenforce"),
        typed("systemctl stop apparmor"),
        typed("systemctl disable --now rsyslog fail2ban"),
        typed("service fail2ban stop"),
        typed("killall -9 wazuh-agentd"),
        typed("systemctl mask --now falcon-sensor.service"),
        record("type=MAC_STATUS @ enforcing=0 old_enforcing=1 auid=1000 ses=7"),
        typed(["sed", "-i", "s/^SELINUX=.*/SELINUX=disabled/", "/etc/selinux/config"]),
        typed("systemctl kill -s KILL systemd-journald"),
    ),
    "time change": (
        typed("date -s 2020-01-01"),
        typed("date --set='last year'"),
        typed("timedatectl set-time '2020-01-01 00:00'"),
        typed("hwclock --set --date 2020-01-01"),
        typed("timedatectl set-ntp false"),
        lambda story: story.call("clock_settime", "/tmp/x"),
    ),
    "traces forged": (
        typed("touch -r /bin/ls /tmp/x"),
        typed("touch -t 201901010000 /usr/bin/x"),
        typed("touch --date='2 years ago' /etc/cron.d/x"),
        typed("chattr +i /etc/cron.d/x"),
        typed("/usr/bin/chattr -R -ia /root"),
    ),
    "masquerading": (
        typed(["[kworker/0:0]", "x"], exe="/usr/bin/perl", called="/usr/bin/perl"),
        typed(["[kswapd0]"], exe="/tmp/x", called="/tmp/x"),
    ),
    "attack on sshd": (
        said("sshd[9]", "fatal: Timeout before authentication for 203.0.113.9 port 4022", times=31, every=10),
        steps(
            *(
                said(
                    "sshd[9]", f"Timeout before authentication for connection from 203.0.113.9 to 192.0.2.1, pid = {n}"
                )
                for n in range(40)
            )
        ),
    ),
}
