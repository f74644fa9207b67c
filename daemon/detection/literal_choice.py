"""Which clauses to look for: the fewest that tell enough, by how often their literals occur.

How often they do is counted in a sample of the very log; until there is one, in lines as every log has them.
"""

import re
from collections.abc import Collection, Iterable, Mapping

from daemon.detection.clauses import WORD_OF_ITS_OWN, Alternative, Clause, is_expression
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
"""The share of texts in which what is no literal is taken to be found: counting it costs more than using it."""
WORTH = 40.0
"""How much more a candidate costs than a literal that is found, where a candidate costs little."""
_LARGEST = 1 << 17
"""Bytes of a sample in which is counted, at most."""
_PIECE = 1 << 12
"""Bytes of the pieces that it is made of."""
_GRAM = 3
"""Characters of which a sample has few different ones in a row: nearly every literal has some that it has not."""
FACTOR = 1.0
"""Scales what a candidate is worth: tests turn it, to look for few clauses or for all."""


def compared_in(alternative: Alternative) -> set[str]:
    """The elements of those clauses of an alternative of which `telling` has to choose: of which it needs shares."""
    clauses = [clause for clause in alternative if not any(map(is_expression, clause))]
    return set[str]().union(*clauses) if len(clauses) > 1 else set()


def ordinary_shares(literals: Iterable[str]) -> dict[str, float]:
    """In which share of ordinary texts a literal occurs, about. A short one is never taken for rare."""
    text = _ORDINARY.lower()
    return {
        literal: text.count(said) / _EVENTS or 0.1 ** len(said) if is_literal(said) else UNCOUNTED
        for literal, said in ((literal, literal.removeprefix(WORD_OF_ITS_OWN)) for literal in literals)
    }


def is_literal(name: str) -> bool:
    """Whether it is looked for as it stands, be it as a word: not an expression, nor a name for one."""
    return not name.startswith("\0") or name.startswith(WORD_OF_ITS_OWN)


def shares_in(text: bytes, texts: int, names: Collection[str]) -> dict[str, float]:
    """In which share of the texts that stand in `text` each name stands, about, counted in pieces of it."""
    step = max(2 * _PIECE, 2 * _PIECE * len(text) // _LARGEST)
    sample = b"".join([text[start : start + _PIECE] for start in range(0, len(text), step)]).lower()
    literals = set(filter(is_literal, names))
    counted = count_shares(literals, sample, texts * len(sample) / len(text))
    return counted | ordinary_shares(set(names) - literals)


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
    """The clauses of an alternative to look for: the rarest, and more as long as they save more than they cost. Then
    those of expressions, of which there need not be shares: they are looked for where the others were found.
    """
    expressions = sorted((clause for clause in alternative if any(map(is_expression, clause))), key=sorted)
    chosen: list[Clause] = []
    left = 1.0
    for share, clause in _ranked(alternative.difference(expressions), shares):
        if chosen and left * (1.0 - share) * worth * FACTOR < share:
            break
        chosen.append(clause)
        left *= share
    return chosen + expressions


def _ranked(clauses: Collection[Clause], shares: Mapping[str, float]) -> list[tuple[float, Clause]]:
    """How common each clause is, the rarest first; of two alike the one with longer literals. A clause alone is not
    compared, and needs no shares.
    """
    if len(clauses) == 1:
        return [(0.0, clause) for clause in clauses]
    ranked = [
        (min(1.0, sum(shares[one] for one in clause)), -min(map(len, clause)), sorted(clause)) for clause in clauses
    ]
    return [(share, frozenset(literals)) for share, _, literals in sorted(ranked)]
