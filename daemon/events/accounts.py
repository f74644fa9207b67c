"""What the account tools (useradd, usermod, groupadd, passwd, gpasswd, chage …) say → fields.

Only root may run them on others, so their text is nobody's but theirs; a name is still taken whole between the words
of the tool, whatever it holds.
"""

import re

from daemon.events.peers import Fields

_NEW_USER = (
    r"new user: name=(?P<target>[^,]*), UID=(?P<uid>[0-9]+)(?:, GID=(?P<gid>[0-9]+))?(?:, home=(?P<home>[^,]*))?"
    r"(?:, shell=(?P<shell>[^,]*))?(?:, .*)?"
)
_PATTERNS = (
    ("user_added", _NEW_USER),
    ("user_add_failed", r"failed adding user '(?P<target>.*)', .*"),
    ("group_added", r"new group: name=(?P<target>.*), GID=(?P<gid>[0-9]+).*"),
    ("group_added", r"group added to /etc/[a-z]+: name=(?P<target>[^,]*)(?:, GID=(?P<gid>[0-9]+))?"),
    ("group_removed", r"group '(?P<target>.*)' removed(?: from .*)?"),
    ("group_removed", r"group removed from /etc/[a-z]+: name=(?P<target>.*)"),
    ("group_removed", r"removed (?:shadow )?group '(?P<target>.*)' owned by '[^']*'"),
    ("member_added", r"add '(?P<target>.*)' to (?:shadow )?group '(?P<group>[^']*)'"),
    ("member_added", r"user (?P<target>.*) added by (?P<by>[^ ]*) to group (?P<group>[^ ]*)"),
    ("member_added", r"add member (?P<target>.*) to group (?P<group>[^ ]*) by (?P<by>[^ ]*)"),
    ("members_set", r"(?:set )?members of (?:group )?(?P<group>[^ ]*) (?:set by (?P<by>[^ ]*) )?to (?P<target>.*)"),
    ("member_removed", r"delete '(?P<target>.*)' from (?:shadow )?group '(?P<group>[^']*)'"),
    ("member_removed", r"user (?P<target>.*) removed by (?P<by>[^ ]*) from group (?P<group>[^ ]*)"),
    ("user_removed", r"delete user '(?P<target>.*)'"),
    (
        "user_changed",
        r"change user '(?P<target>.*)' (?P<what>[A-Za-z ]+) from '(?P<old>[^']*)' to '(?P<new>[^']*)'",
    ),
    ("user_changed", r"change user name '(?P<old>.*)' to '(?P<target>[^']*)'"),
    ("user_changed", r"changed? user '(?P<target>.*)' (?P<what>[a-z]+) to '(?P<new>[^']*)'"),
    ("user_changed", r"(?:changed?|lock|unlock) user '(?P<target>[^']*)'.*"),
    ("user_changed", r"changed password expiry for (?P<target>.*)"),
    ("password_changed", r"password for '(?P<target>.*)' changed by '(?P<by>[^']*)'"),
    ("password_changed", r"password changed for (?P<target>.*)"),
    ("group_password_changed", r"password of group (?P<group>[^ ]*) (?:changed|removed) by (?P<by>[^ ]*)"),
)


def _by_first_word() -> dict[str, list[tuple[str, re.Pattern[str]]]]:
    table: dict[str, list[tuple[str, re.Pattern[str]]]] = {}
    for action, pattern in _PATTERNS:
        words = {"(?:changed?|lock|unlock)": ("change", "changed", "lock", "unlock"), "changed?": ("change", "changed")}
        first = pattern.partition(" ")[0]
        if first == "(?:set":
            words[first] = ("set", "members")
        for word in words.get(first, (first,)):
            table.setdefault(word, []).append((action, re.compile(pattern, re.DOTALL)))
    return table


_TABLE = _by_first_word()


def parse_account(message: str) -> Fields:
    """`action`, and what it is about: `target`, `uid`, `gid`, `group`, `by`, `home`, `shell`, `what`, `old`, `new`.

    Empty for other messages.
    """
    for action, pattern in _TABLE.get(message.partition(" ")[0], ()):
        found = pattern.fullmatch(message)
        if found is not None:
            fields: Fields = {"action": action}
            fields.update((key, value) for key, value in found.groupdict().items() if value)
            return fields | ({"result": "failure"} if action == "user_add_failed" else {})
    return {}
