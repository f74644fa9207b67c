"""Which clauses to look for: the fewest that tell enough, by how often their literals occur.

How often they do is counted in a sample of the very log; until there is one, in lines as every log has them.
"""

import re
from collections.abc import Collection, Iterable, Mapping

from daemon.detection.clauses import EXPRESSION, WORD_OF_ITS_OWN, Alternative, Clause
from daemon.detection.literal_scan import pattern_of

_ORDINARY = """
type=SYSCALL msg=audit(1700000000.123:4567): arch=c000003e syscall=59 success=yes exit=0 a0=7f0e a1=55d1 a2=10 a3=8
items=2 ppid=1 pid=1234 auid=1000 uid=0 gid=0 euid=0 suid=0 fsuid=0 egid=0 sgid=0 fsgid=0 tty=(none) ses=4294967295
comm="bash" exe="/usr/bin/bash" subj=unconfined key=(null) ARCH=x86_64 SYSCALL=execve AUID="unset" UID="root" GID="root"
EUID="root" SUID="root" FSUID="root" EGID="root" SGID="root" FSGID="root" SYSCALL=openat SYSCALL=connect SYSCALL=open
type=EXECVE argc=3 a0="sh" a1="-c" a2="/usr/sbin/sshd" type=CWD cwd="/root" type=PATH item=0 name="/bin/sh" inode=1
dev=fe:00 mode=0100755 ouid=0 ogid=0 rdev=00:00 nametype=NORMAL nametype=CREATE nametype=PARENT cap_fp=0 cap_fi=0
cap_fe=0 cap_fver=0 cap_frootid=0 OUID="root" OGID="root" type=PROCTITLE proctitle="python3" type=SOCKADDR
saddr=02000050 SADDR={ saddr_fam=inet laddr=192.0.2.1 lport=443 } type=USER_AUTH type=USER_ACCT type=CRED_ACQ
type=USER_START type=USER_END type=SERVICE_START type=SERVICE_STOP msg='op=PAM:session_open grantors=pam_unix
acct="root" exe="/usr/lib/systemd/systemd" hostname=? addr=? terminal=ssh res=success' /opt/ /etc/ /var/lib/ /home/
Nov 21 09:30:00 host sshd[1234]: pam_unix(sshd:session): session opened for user root(uid=0) by (uid=0)
CRON[123]: pam_unix(cron:session): session closed for user root systemd-logind[701]: New session 5 of user root.
sudo: root : TTY=pts/0 ; PWD=/home ; USER=root ; COMMAND=/usr/bin/systemctl
"""
"""What every log is full of, in some ten events."""
_EVENTS = 10
UNCOUNTED = 0.01
"""The share of texts in which an expression is taken to be found: counting it costs more than using it."""
WORTH = 40.0
"""How much more a candidate costs than a literal that is found, where a candidate costs little."""
_GRAM = 3
"""Characters of which a sample has few different ones in a row: nearly every literal has some that it has not."""
FACTOR = 1.0
"""Scales what a candidate is worth: tests turn it, to look for few clauses or for all."""


def ordinary_shares(literals: Iterable[str]) -> dict[str, float]:
    """In which share of ordinary texts a literal occurs, about. A short one is never taken for rare."""
    text = _ORDINARY.lower()
    plain = {literal: literal.removeprefix(WORD_OF_ITS_OWN) for literal in literals}
    return {
        literal: UNCOUNTED if literal.startswith(EXPRESSION) else text.count(said) / _EVENTS or 0.1 ** len(said)
        for literal, said in plain.items()
    }


def count_shares(literals: Iterable[str], sample: bytes, texts: float) -> dict[str, float]:
    """In which share of the texts of a sample each literal stands, about: none is taken for impossible."""
    grams = {sample[start : start + _GRAM] for start in range(len(sample))}
    shares = {}
    for literal in literals:
        said = literal.removeprefix(WORD_OF_ITS_OWN).encode("utf-8", "backslashreplace")
        absent = any(said[start : start + _GRAM] not in grams for start in range(len(said) - _GRAM + 1))
        shares[literal] = (0.1 if absent else _count(literal, said, sample) + 0.1) / texts
    return shares


def _count(literal: str, said: bytes, sample: bytes) -> int:
    """How often: a word of its own not where it is a part of others, or it would be taken for common and not used."""
    alone = literal.startswith(WORD_OF_ITS_OWN)
    return len(re.findall(pattern_of(literal), sample)) if alone else sample.count(said)


def telling(alternative: Alternative, shares: Mapping[str, float], worth: float = WORTH) -> list[Clause]:
    """The clauses of an alternative to look for: the rarest, and more as long as they save more than they cost."""
    ranked = sorted((_rank(clause, shares), clause) for clause in map(tuple, map(sorted, alternative)))
    chosen: list[Clause] = []
    left = 1.0
    for (share, _, _), literals in ranked:
        clause = frozenset(literals)
        if chosen and left * (1.0 - share) * worth * FACTOR < share:
            break
        chosen.append(clause)
        left *= share
    return chosen


def _rank(clause: Collection[str], shares: Mapping[str, float]) -> tuple[float, bool, int]:
    """How common a clause is; of two alike, literals before expressions, and long ones before short ones."""
    share = min(1.0, sum(shares[literal] for literal in clause))
    return share, any(literal.startswith(EXPRESSION) for literal in clause), -min(map(len, clause))
