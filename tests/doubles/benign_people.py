"""What people do on hosts all day: they log in, write programs, and have others set up for them."""

from tests.doubles.host_story import Story


def developers(story: Story) -> None:
    """Shells of people who write programs."""
    for command in (
        "git clone git@git.example:team/app.git", "git -c core.sshCommand=ssh fetch", "git commit -m 'remove history -c from docs'",
        "make -j8", "gcc -O2 -c main.c -o main.o", "go test ./...", "cargo build --release", "npm install",
        "python3 -c 'import sys; print(sys.version)'", "python3 -m venv .venv", "python3 -m http.server 8000",
        "python3 -c \"import base64; print(base64.b64decode('aGk='))\"", "base64 -d token.txt", "jq .name package.json",
        "curl -s https://api.example/v1/items", "curl -X POST -d '{}' https://api.example/v1/items", "tar czf /tmp/src.tgz src",
        "tar xf /tmp/src.tgz", "ssh web-2 uptime", "ssh -L 5432:localhost:5432 db", "scp dist.tgz web-2:/srv/app/", "vim main.c",
        "grep -rn password src/", "find . -name '*.pyc' -delete", "find . -type f -exec sh -c 'wc -l $1' _ {} +", "rm -rf node_modules",
        "chmod +x run.sh", "chmod 755 build.sh", "touch -d @1700000000 main.o", "ssh-keygen -t ed25519 -f /home/alice/.ssh/id_ed25519",
        "cat /home/alice/.ssh/id_ed25519.pub", "kubectl get pods -A", "kubectl exec -it app -- sh", "aws s3 sync dist s3://bucket/",
        "terraform plan", "docker logs app", "scp -i /home/alice/.ssh/id_ed25519 dist.tgz web-2:/srv/", "ssh -o IdentityFile=/home/alice/.ssh/id_rsa web-2",
        "rsync -e 'ssh -i /home/alice/.ssh/id_rsa' -a dist/ web-2:/srv/app/", "date -Iseconds", "date -d 20260101 +%s", "date -Is -u", "git commit -m 'ufw disable'",
        "git commit -m 'document setenforce 0 and rm -rf /'", "vim /home/alice/deploy.sh", "find . -name id_rsa", "grep -rn 'PRIVATE KEY' .", "ssh-add /home/alice/.ssh/id_ed25519",
        "cat /home/alice/.ssh/config", "cp .env.example .env", "cat package.json", "sed -i s/a/b/ main.c", "chmod 4 x", "chmod 0644 main.c", "install -m 755 app /home/alice/bin/app",
        "node server.js", "java -jar app.jar", "ruby -e 'puts 1'", "perl -pe s/a/b/ x", "php -r 'echo 1;'", "awk '{print $1}' access.log", "wget https://dl.example/a.tgz", "strace -c ls", "gdb ./app", "gdb --args ./app -v", "nc -z db 5432", "ping -c1 db",
        "openssl s_client -connect www.example:443", "openssl enc -aes-256-cbc -in a -out a.enc", "xxd -r -p a.hex", "dd if=/dev/zero of=disk.img bs=1M count=64",
        "crontab -l", "date +%F", "date -d yesterday +%F", "history", "less /var/log/syslog", "tail -f /var/log/nginx/access.log",
        "man nmap", "apt-cache search nmap", "which nc", "socat - UNIX-CONNECT:/run/app.sock", "ps aux", "top -b -n1", "ip a", "ss -tlnp", "id",
    ):  # fmt: skip
        story.run(command, user="alice", cwd="/home/alice/app")
        story.wait(20)
    for script in (
        "curl -s https://api.example/v1/items | jq -r .[].id", "git log --oneline | head", "for f in *.c; do cc -c $f; done",
        "cat a.json | python3 -m json.tool", "echo aGVsbG8= | base64 -d", "until nc -z db 5432; do sleep 1; done", "source .venv/bin/activate && pytest -q",
        "(echo > /dev/tcp/localhost/8080) 2>/dev/null && echo up", "export HISTCONTROL=ignoredups", "test -f .env && . ./.env",
        "for i in $(seq 30); do (echo > /dev/tcp/db/5432) && break; sleep 1; done", "while ! nc -z db 5432; do sleep 1; done", "cat /dev/null > out.log",
        "tar czf - src | ssh web-2 'tar xzf - -C /srv/app'", "curl -s https://api.example/v1/x -o /tmp/x.json && python3 report.py /tmp/x.json", "eval $(ssh-agent -s)",
        "echo $PATH; which bash; type sh", "cd /tmp && tar xf src.tgz && ls", "kubectl get secret app -o json | jq -r .data.token | base64 -d", "curl -sSL https://x.example/a.tgz | tar xz",
    ):  # fmt: skip
        story.shell(script, name="bash", user="alice")
    story.run("/tmp/go-build123/b001/app.test -test.v", user="alice", called="/tmp/go-build123/b001/app.test")
    for number in range(300):
        story.delete(f"/home/alice/app/node_modules/x/{number}.js", by="/usr/bin/rm", pid=7000, user="alice")
        story.delete(f"/home/alice/app/.git/objects/aa/{number}", by="/usr/bin/git", pid=7001, user="alice")
    story.call("ptrace", "/usr/bin/gdb", user="alice", arguments="4 1f40 401000 cc")


def configuration_management(story: Story) -> None:
    """Ansible, by a user of its own."""
    story.say("sshd[900]", "Accepted publickey for deploy from 192.0.2.20 port 50100 ssh2: ED25519 SHA256:abc")
    for module in ("setup", "apt", "template", "copy", "service", "systemd", "file", "command"):
        path = f"/home/deploy/.ansible/tmp/ansible-tmp-1700.1-{module}"
        story.shell("/bin/sh -c 'echo ~deploy && sleep 0'", user="deploy")
        story.shell(
            f'( umask 77 && mkdir -p "` echo /home/deploy/.ansible/tmp `"&& mkdir "` echo {path} `" )', user="deploy"
        )
        story.shell(
            f"sudo -H -S -n -u root /bin/sh -c 'echo BECOME-SUCCESS-abcdef ; /usr/bin/python3 {path}/AnsiballZ_{module}.py' && sleep 0",
            user="deploy",
        )
        story.run(["/usr/bin/python3", f"{path}/AnsiballZ_{module}.py"], exe="/usr/bin/python3.11")
        story.say(
            "sudo",
            f"deploy : TTY=pts/1 ; PWD=/home/deploy ; USER=root ; COMMAND=/bin/sh -c echo BECOME-SUCCESS-abcdef ; /usr/bin/python3 {path}/AnsiballZ_{module}.py",
        )
        story.shell(f"rm -f -r {path}/ > /dev/null 2>&1 && sleep 0", user="deploy")
    for command in (
        "lsblk --list --noheadings",
        "findmnt --list",
        "systemctl show nginx",
        "systemctl daemon-reload",
        "getent passwd",
        "uname -a",
    ):
        story.run(command)
    story.write("/etc/nginx/sites-enabled/app.conf", by="/usr/bin/python3.11", title=f"/usr/bin/python3 {path}/x.py")
    story.run("nginx -t", called="/usr/sbin/nginx")


def people_log_in(story: Story) -> None:
    """Logins, with a mistyped password here and there, and agents that offer several keys."""
    for user, address in (("alice", "192.0.2.10"), ("bob", "192.0.2.11"), ("carol", "192.0.2.10")):
        story.say("sshd[700]", f"Failed password for {user} from {address} port 40100 ssh2")
        story.wait(9)
        story.say("sshd[700]", f"Accepted password for {user} from {address} port 40100 ssh2")
        story.say("sshd[700]", f"pam_unix(sshd:session): session opened for user {user}(uid=1000) by (uid=0)")
        story.wait(600)
    story.say("sshd[701]", "Failed publickey for alice from 192.0.2.10 port 40101 ssh2: RSA SHA256:abc", times=5)
    story.say("sshd[701]", "Accepted publickey for alice from 192.0.2.10 port 40101 ssh2: ED25519 SHA256:abc")
    story.say("sshd[702]", "Invalid user alcie from 192.0.2.10 port 40102")
    story.say("sshd[702]", "Failed password for invalid user alcie from 192.0.2.10 port 40102 ssh2", times=2, every=4)
    story.say("sudo[710]", "alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/systemctl restart nginx")
    story.say(
        "sudo[711]",
        "alice : 1 incorrect password attempt ; TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND=/usr/bin/vim /etc/hosts",
    )
    story.say("su[712]", "FAILED SU (to root) alice on pts/0")
    story.say("passwd[713]", "pam_unix(passwd:chauthtok): password changed for alice")
    for user in ("alice", "bob"):
        pid = story.run("sudo -i", user=user, root=True)
        story.run(["-bash"], called="/bin/bash", exe="/usr/bin/bash", parent=pid)
    for command in ("/usr/bin/vim /etc/nginx/nginx.conf", "/usr/bin/vim +42 /opt/deploy.sh", "/usr/bin/su -", "/bin/bash", "/usr/bin/less /var/log/auth.log",
                    "/usr/bin/find /srv -exec chown www-data {} +", "/usr/bin/python3 /opt/tool.py", "/usr/bin/docker ps", "/usr/bin/tee /etc/nginx/x.conf"):  # fmt: skip
        story.say("sudo[714]", f"alice : TTY=pts/0 ; PWD=/home/alice ; USER=root ; COMMAND={command}")
    story.run("sshd -D -R", session=False, called="/usr/sbin/sshd")
    story.run("/usr/lib/openssh/sftp-server", user="alice")
