"""What happens on hosts all day and means no harm: each a story with commands, files and log lines as they really look."""

from collections.abc import Callable

from tests.doubles.benign_people import configuration_management, developers, people_log_in
from tests.doubles.host_story import Story

_APT = "/usr/bin/apt-get -y -o Dpkg::Options::=--force-confold dist-upgrade"
_PACKAGES = ("openssl", "sudo", "nginx", "rsyslog", "auditd", "cron", "linux-image-6.1.0-13-amd64", "fail2ban", "ufw")


def apt_upgrade(story: Story) -> None:
    """An upgrade by an administrator, with the scripts of the packages and what dpkg writes."""
    story.run("sudo apt-get update", user="alice", root=True)
    story.run(_APT)
    for path in ("/usr/lib/apt/methods/https", "/usr/lib/apt/methods/gpgv", "/usr/lib/apt/methods/store"):
        story.run([path], called=path)
    story.run(
        "/usr/bin/dpkg --status-fd 25 --unpack --auto-deconfigure /var/cache/apt/archives/openssl_3.0.11-1_amd64.deb"
    )
    for name in _PACKAGES:
        script = story.run(
            ["/bin/sh", f"/var/lib/dpkg/info/{name}.postinst", "configure", "1.0-1"],
            called=f"/var/lib/dpkg/info/{name}.postinst",
            exe="/usr/bin/dash",
        )
        story.run("update-rc.d nginx defaults", parent=script, exe="/usr/bin/perl", called="/usr/sbin/update-rc.d")
        invoke = story.run(
            ["/usr/bin/perl", "/usr/bin/deb-systemd-invoke", "restart", f"{name}.service"],
            parent=script,
            exe="/usr/bin/perl",
        )
        story.run(f"systemctl --quiet --system restart {name}.service", parent=invoke)
        story.run(f"chown root:root /etc/{name}", parent=script)
        story.run("chmod 4755 /usr/bin/sudo", parent=script)
        story.run("setcap cap_net_raw+ep /usr/bin/ping", parent=script)
        story.run("rm -f /var/log/nginx.old", parent=script)
        story.run("apparmor_parser -r -T -W /etc/apparmor.d/usr.sbin.ntpd", parent=script)
    for path in ("/etc/cron.d/e2scrub", "/etc/pam.d/sudo", "/etc/profile.d/x.sh", "/etc/udev/rules.d/60-x.rules",
                 "/usr/lib/systemd/system/nginx.service", "/etc/init.d/nginx", "/etc/logrotate.d/nginx", "/etc/sudoers",
                 "/usr/lib/x86_64-linux-gnu/security/pam_unix.so", "/etc/xdg/autostart/x.desktop", "/etc/hosts.allow"):  # fmt: skip
        story.write(path, by="/usr/bin/dpkg", title="/usr/bin/dpkg --unpack x.deb", old=path + ".dpkg-new")
    story.run("update-initramfs -u -k 6.1.0-13-amd64", called="/usr/sbin/update-initramfs", exe="/usr/bin/dash")
    story.run(
        ["/bin/sh", "/tmp/mkinitramfs-x/hooks/udev"], called="/var/tmp/mkinitramfs_x/hooks/udev", exe="/usr/bin/dash"
    )
    story.run("depmod -a 6.1.0-13-amd64", exe="/usr/bin/kmod")
    story.run("ldconfig")
    story.run("rm -rf /var/cache/apt/archives/partial")
    story.say("sudo[811]", "alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/apt-get -y dist-upgrade")
    story.say("systemd[1]", "Stopping rsyslog.service - System Logging Service...")
    story.say("systemd[1]", "rsyslog.service: Deactivated successfully.")


def unattended_upgrades(story: Story) -> None:
    """The same at night, without anybody logged in."""
    story.run(
        ["/bin/sh", "/usr/lib/apt/apt.systemd.daily", "install"],
        session=False,
        called="/usr/lib/apt/apt.systemd.daily",
        exe="/usr/bin/dash",
    )
    story.run(
        ["/usr/bin/python3", "/usr/bin/unattended-upgrade"],
        session=False,
        called="/usr/bin/unattended-upgrade",
        exe="/usr/bin/python3.11",
    )
    story.run("/usr/bin/dpkg --force-confdef --configure -a", session=False)
    story.run(["/usr/bin/python3", "/usr/bin/lsb_release", "-i", "-s"], session=False, exe="/usr/bin/python3.11")
    story.run("touch /var/lib/apt/periodic/update-stamp", session=False)
    story.run("/usr/sbin/needrestart -m u -k -p", session=False, exe="/usr/bin/perl")
    story.write(
        "/etc/apt/apt.conf.d/50unattended-upgrades",
        by="/usr/bin/dpkg",
        session=False,
        old="/etc/apt/apt.conf.d/50unattended-upgrades.dpkg-new",
    )
    story.write("/etc/apt/apt.conf.d/01autoremove-kernels", by="/usr/bin/dpkg", session=False, old="/x")


def dnf_upgrade(story: Story) -> None:
    """An upgrade on a distribution with RPM."""
    story.run(["/usr/bin/python3", "/usr/bin/dnf", "-y", "upgrade"], exe="/usr/bin/python3.11", called="/usr/bin/dnf")
    script = story.run("/bin/sh /var/tmp/rpm-tmp.Ab12Cd 1", exe="/usr/bin/bash")
    story.run("systemctl try-restart auditd.service", parent=script)
    story.run("semodule -n -s targeted -X 200 -i x.pp", parent=script, called="/usr/sbin/semodule")
    for path in ("/etc/pam.d/sshd", "/etc/cron.d/0hourly", "/etc/profile.d/lang.sh", "/usr/lib64/security/pam_unix.so"):
        story.write(path, by="/usr/bin/python3.11", title="/usr/bin/python3 /usr/bin/dnf -y upgrade", old=path + ";655")


def cron_jobs(story: Story) -> None:
    """What cron runs."""
    jobs = (
        ("root", "   cd / && run-parts --report /etc/cron.hourly"),
        ("root", "test -x /usr/sbin/anacron || { cd / && run-parts --report /etc/cron.daily; }"),
        ("root", "command -v debian-sa1 > /dev/null && debian-sa1 1 1"),
        ("www-data", "/usr/bin/php -f /var/www/nextcloud/cron.php"),
        (
            "root",
            "[ -x /usr/lib/php/sessionclean ] && if [ ! -d /run/systemd/system ]; then /usr/lib/php/sessionclean; fi",
        ),
        ("alice", "/home/alice/bin/report.sh > /tmp/report.log 2>&1"),
        ("root", "/usr/bin/flock -n /tmp/backup.lock /usr/local/sbin/backup"),
        ("root", "/usr/bin/find /tmp -name 'sess_*' -mtime +1 -delete"),
        ("root", "/usr/local/sbin/backup && curl -fsS -m 10 --retry 5 https://hc.example/ping/1 > /dev/null"),
        ("root", "certbot -q renew --no-random-sleep-on-renew"),
    )
    for user, command in jobs:
        story.say("CRON[4711]", f"pam_unix(cron:session): session opened for user {user}(uid=0) by (uid=0)")
        story.say("CRON[4712]", f"({user}) CMD ({command})")
        story.shell(command, user=user, session=user != "root")
        story.say("CRON[4711]", f"pam_unix(cron:session): session closed for user {user}")
    story.run("run-parts --report /etc/cron.daily", session=False)
    story.run("cmp -s shadow.bak /etc/shadow", session=False, cwd="/var/backups")
    story.run("cp -p /etc/shadow shadow.bak", session=False, cwd="/var/backups")
    story.run("find /var/lib/php/sessions -depth -mindepth 1 -maxdepth 1 -type f -cmin +24 -delete", session=False)
    story.run("/usr/bin/updatedb.plocate", session=False)


def log_rotation(story: Story) -> None:
    """Logrotate and its scripts."""
    parent = story.run("/usr/sbin/logrotate /etc/logrotate.conf", session=False)
    for script in (
        "/usr/lib/rsyslog/rsyslog-rotate",
        "invoke-rc.d nginx rotate >/dev/null 2>&1",
        "[ ! -f /var/run/nginx.pid ] || kill -USR1 `cat /var/run/nginx.pid`",
    ):
        shell = story.shell(f"\n\t\t{script}\n logrotate_script /var/log/x.log", session=False, parent=parent)
        story.run("systemctl kill -s HUP rsyslog.service", session=False, parent=shell)
    story.run("gzip /var/log/syslog.1", session=False, parent=parent)
    story.run("rm -f /var/log/syslog.7.gz", session=False, parent=parent)
    story.run("journalctl --vacuum-time=30d", session=False)
    story.run("journalctl --vacuum-size=500M")
    story.run("find /var/log -name *.gz -mtime +90 -delete")


def systemd_at_work(story: Story) -> None:
    """Boot, timers, units that fail once, sessions."""
    for name in ("nginx", "cron", "ssh", "systemd-logind", "e2scrub_all", "fstrim", "man-db"):
        story.say("systemd[1]", f"Started {name}.service - {name}.", every=2)
    story.say("systemd[1]", "apt-daily.service: Failed with result 'exit-code'.")
    story.say("systemd[1]", "logrotate.service: Deactivated successfully.")
    story.say("systemd-logind[600]", "New session 7 of user alice.")
    story.say("kernel", "[    1.2] mce: CPU0: Thermal monitoring enabled (TM1)")
    story.say("kernel", "[    1.3] EXT4-fs (sda1): mounted filesystem with ordered data mode. Quota mode: none.")
    story.say("kernel", "[    1.4] nvidia: loading out-of-tree module taints kernel.")
    story.say("kernel", "[    1.5] NVRM: loading NVIDIA UNIX x86_64 Kernel Module  535.129.03")
    story.say("kernel", "[    1.6] I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2")
    story.say(
        "kernel",
        "[   99.6] chrome[4242]: segfault at 0 ip 000055d0c8a3b300 sp 00007ffd12345678 error 4 in chrome[55d0c8a00000+1000]",
    )
    story.say("kernel", "[  100.6] docker0: port 1(veth1) entered promiscuous mode")
    story.write(
        "/etc/systemd/system/multi-user.target.wants/nginx.service",
        by="/usr/bin/systemctl",
        title="systemctl enable nginx",
    )
    story.write("/run/systemd/system/session-7.scope", by="/usr/lib/systemd/systemd", session=False)
    story.run("/sbin/modprobe -q -- net-pf-10", session=False, exe="/usr/bin/kmod")
    story.call("finit_module", "/usr/lib/systemd/systemd-udevd", session=False)
    story.call("clock_settime", "/usr/sbin/chronyd", session=False)
    story.run("systemctl restart nginx")
    story.run("systemctl stop postgresql")


def docker_builds(story: Story) -> None:
    """Images are built and containers started."""
    story.run("docker build -t app:1 .", user="alice")
    story.run("docker run -d --name web -p 8080:80 -v /srv/web:/usr/share/nginx/html:ro nginx", user="alice")
    story.run("docker compose up -d --build", user="alice")
    story.run("/usr/bin/containerd-shim-runc-v2 -namespace moby -id abc", session=False)
    story.run(
        ["runc", "init"], session=False, exe="/memfd:runc_cloned:/proc/self/exe (deleted)", called="/proc/self/fd/6"
    )
    for script in (
        "apt-get update && apt-get install -y --no-install-recommends curl ca-certificates && rm -rf /var/lib/apt/lists/*",
        "curl -fsSL https://go.dev.example/go1.22.0.linux-amd64.tar.gz -o /tmp/go.tgz && tar -C /usr/local -xzf /tmp/go.tgz && rm /tmp/go.tgz",
        "curl -fsSL https://deb.example/setup.gpg | gpg --dearmor -o /usr/share/keyrings/x.gpg",
        "pip install --no-cache-dir -r requirements.txt",
        "useradd --create-home --uid 1000 app && chown -R app:app /app",
        "npm ci --omit=dev && npm cache clean --force",
        "set -eux; wget -O /usr/local/bin/tini https://x.example/tini && chmod +x /usr/local/bin/tini",
        "echo 'deb [signed-by=/usr/share/keyrings/x.gpg] https://deb.example/ stable main' > /etc/apt/sources.list.d/x.list",
    ):
        story.shell(script, session=False)
    for argument in ("-t filter -N DOCKER", "-t filter -F DOCKER-ISOLATION-STAGE-1", "-t nat -A DOCKER -p tcp -j DNAT"):
        story.run(f"/usr/sbin/iptables --wait {argument}", session=False, exe="/usr/sbin/xtables-nft-multi")
    story.run("docker exec -it web sh", user="alice")
    story.run(["runc", "init"], session=False, exe="/var/lib/rancher/k3s/data/abc/bin/runc", called="/proc/self/fd/6")
    story.run("docker system prune -af", user="alice")
    story.run("rm -rf /var/lib/apt/lists/partial /tmp/build /root/.cache", session=False)
    story.run("docker ps -a", user="alice")
    story.run("nsenter -t 4242 -n ss -tln")


def backups(story: Story) -> None:
    """Copies to another host, by rsync, ssh, tar and a database's own tool."""
    for command in (
        "rsync -a --delete -e ssh /srv/ backup@backup.example:/srv/", "ssh -i /root/.ssh/id_backup backup@backup.example true",
        "tar -cpzf /backup/etc.tgz --one-file-system /etc", "pg_dump -Fc app -f /backup/app.dump", "mysqldump --all-databases --single-transaction",
        "restic -r sftp:backup@backup.example:/r backup /srv /etc /home", "borg create ssh://b@backup.example/./r::x /etc /home", "gpg -e -r ops /backup/app.dump",
        "rclone sync /backup remote:bucket", "find /backup -mtime +30 -delete",
    ):  # fmt: skip
        story.run(command, session=False)
        story.wait(30)
    story.run("zfs destroy -r tank/home@zfs-auto-snap_daily-2026-10-01-0000", session=False)
    story.run("rsync -a -e 'ssh -i /root/.ssh/id_rsa' /srv/ backup@backup.example:/srv/", session=False)
    story.run("find / -xdev -type f -perm -4000", session=False)
    story.shell("pg_dump app | gzip > /backup/app.sql.gz", session=False)
    story.run("/usr/bin/ssh -l backup backup.example rsync --server -vlogDtpre.iLsfxCIvu . /srv/", session=False)


def web_and_databases(story: Story) -> None:
    """Services that start programs of their own."""
    web = story.run(
        ["php-fpm: pool www"],
        user="www-data",
        session=False,
        exe="/usr/sbin/php-fpm8.2",
        called="/usr/sbin/php-fpm8.2",
        parent=1,
    )
    story.run(["sh", "-c", "/usr/sbin/sendmail -t -i"], user="www-data", session=False, parent=web, called="/bin/sh")
    story.run("convert a.png -resize 50% b.png", user="www-data", session=False, parent=web)
    story.write("/var/www/app/var/cache/prod/x.php", by="/usr/sbin/php-fpm8.2", user="www-data", session=False)
    story.write("/var/www/app/uploads/a.png", by="/usr/sbin/php-fpm8.2", user="www-data", session=False)
    server = story.run(
        "/usr/lib/postgresql/15/bin/postgres -D /var/lib/postgresql/15/main", user="postgres", session=False, parent=1
    )
    story.run(
        ["sh", "-c", "pgbackrest --stanza=main archive-push pg_wal/000000010000000000000001"],
        user="postgres",
        session=False,
        parent=server,
        called="/bin/sh",
    )
    for number in range(300):
        story.delete(
            f"/var/lib/postgresql/15/main/base/5/{number}",
            by="/usr/lib/postgresql/15/bin/postgres",
            pid=7002,
            user="postgres",
        )


def monitoring(story: Story) -> None:
    """Agents and checks."""
    for command in (
        "/usr/lib/nagios/plugins/check_disk -w 10% -c 5%", "/usr/sbin/smartctl -a /dev/sda", "df -P", "uptime", "ps -ef", "ss -s", "ip -s link",
        "fping -c 1 192.0.2.1", "curl -s --unix-socket /var/run/docker.sock http://localhost/containers/json", "systemctl is-active nginx",
        "nvidia-smi --query-gpu=temperature.gpu --format=csv", "lsblk -J", "cat /proc/meminfo", "last -n 5", "dmidecode -t memory", "who", "mount", "lsof -i",
    ):  # fmt: skip
        story.run(command, session=False)
    story.run("auditctl -s", session=False, called="/usr/sbin/auditctl")
    story.run("aureport --summary", session=False)
    story.run("sosreport --batch", exe="/usr/bin/python3.11")


def network_changes(story: Story) -> None:
    """Addresses and names that the network brings, and a laptop that sleeps."""
    story.write("/etc/resolv.conf", by="/usr/sbin/NetworkManager", session=False, old="/etc/resolv.conf.X1")
    story.write("/run/udev/rules.d/90-netplan.rules", by="/usr/libexec/netplan/generate", session=False)
    story.run("/usr/sbin/iptables -w -F f2b-sshd", session=False, exe="/usr/sbin/xtables-nft-multi")
    story.run("/usr/sbin/iptables -A INPUT -p tcp --dport 443 -j ACCEPT", exe="/usr/sbin/xtables-nft-multi")
    story.run("nft -f /etc/nftables.conf")
    story.run("timedatectl set-timezone Europe/Berlin")
    story.run("hostnamectl set-hostname web-1")
    story.run("sysctl -p /etc/sysctl.d/99-x.conf")


DAYS: dict[str, Callable[[Story], None]] = {
    play.__name__: play
    for play in (
        *(apt_upgrade, unattended_upgrades, dnf_upgrade, cron_jobs, log_rotation, systemd_at_work, docker_builds),
        *(developers, configuration_management, backups, people_log_in, web_and_databases, monitoring, network_changes),
    )
}
