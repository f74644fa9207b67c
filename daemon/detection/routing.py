"""Which rules look at an event: the logsource that a rule asks for, against the one that an event has.

A rule sees an event when every logsource attribute that it sets fits the event's. A rule without a category sees only
log lines: not what is synthesised from them (process_creation, file_event …) and not readings.

An event has the narrowest service that its line has: `sshd` for what sshd says, wherever it is written. Two of Sigma's
services for Linux are files rather than programs, and a rule for one of these means what stands in that file
(sigma-specification, appendix taxonomy 2.1: `auth` is auth.log; what goes there is what Debian's rsyslog.conf sends):

* `auth` is all that has the facility auth or authpriv: sshd and sudo as well as su, login, useradd, polkit, logind, and
  what PAM says in the name of any program, cron's too.
* `syslog` is the general log, `*.*;auth,authpriv.none`: the kernel, systemd, daemons, cron, scanners; but nothing of
  `auth`, in whose lines strangers choose the words (a user called `stopping iptables` would fire SigmaHQ's rule).

Every other service (sshd, sudo, cron, clamav, guacamole, vsftpd, auditd) is one program's and means that one alone.
"""

from daemon.model import Logsource

_PARTS = {
    "auth": frozenset({"auth", "sshd", "sudo"}),
    "syslog": frozenset({"syslog", "cron", "clamav", "guacamole", "vsftpd"}),
}
"""Services that are files → the services whose lines are in them."""


def sees(rule: Logsource, event: Logsource) -> bool:
    """Whether a rule of this logsource looks at events of that one. The rule's attributes are in lower case."""
    if rule.category != event.category.lower() or rule.product not in {"", event.product.lower()}:
        return False
    service = event.service.lower()
    return rule.service in {"", service} or (not rule.category and service in _PARTS.get(rule.service, ()))
