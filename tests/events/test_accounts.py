"""What the account tools say."""

from typing import Any

import pytest

from daemon.events.accounts import parse_account


@pytest.mark.parametrize(
    ("message", "fields"),
    [
        (
            "new user: name=eve, UID=0, GID=0, home=/, shell=/bin/sh, from=/dev/pts/0",
            {"action": "user_added", "target": "eve", "uid": "0", "gid": "0", "home": "/", "shell": "/bin/sh"},
        ),
        ("new user: name=eve, UID=0, GID=0, home=/, shell=/bin/sh", {"action": "user_added", "uid": "0"}),
        ("failed adding user 'eve', data deleted", {"action": "user_add_failed", "result": "failure", "target": "eve"}),
        ("new group: name=eve, GID=1", {"action": "group_added", "target": "eve", "gid": "1"}),
        ("group added to /etc/group: name=eve, GID=1001", {"action": "group_added", "target": "eve", "gid": "1001"}),
        ("group added to /etc/gshadow: name=eve", {"action": "group_added", "target": "eve"}),
        ("group 'eve' removed", {"action": "group_removed", "target": "eve"}),
        ("group 'eve' removed from /etc/group", {"action": "group_removed", "target": "eve"}),
        ("removed shadow group 'eve' owned by 'eve'", {"action": "group_removed", "target": "eve"}),
        ("add 'eve' to group 'sudo'", {"action": "member_added", "target": "eve", "group": "sudo"}),
        ("add 'eve' to shadow group 'sudo'", {"action": "member_added", "group": "sudo"}),
        (
            "user bob added by root to group docker",
            {"action": "member_added", "target": "bob", "by": "root", "group": "docker"},
        ),
        ("user bob removed by root from group sudo", {"action": "member_removed", "target": "bob", "group": "sudo"}),
        ("delete 'eve' from group 'sudo'", {"action": "member_removed", "target": "eve", "group": "sudo"}),
        ("members of group sudo set by root to a,b", {"action": "members_set", "group": "sudo", "target": "a,b"}),
        ("delete user 'eve'", {"action": "user_removed", "target": "eve"}),
        (
            "change user 'eve' UID from '1001' to '0'",
            {"action": "user_changed", "target": "eve", "what": "UID", "old": "1001", "new": "0"},
        ),
        ("change user 'eve' password", {"action": "user_changed", "target": "eve"}),
        ("lock user 'eve' password", {"action": "user_changed", "target": "eve"}),
        ("unlock user 'eve' password", {"action": "user_changed", "target": "eve"}),
        ("change user name 'eve' to 'bob'", {"action": "user_changed", "old": "eve", "target": "bob"}),
        ("changed user 'bob' shell to '/bin/sh'", {"action": "user_changed", "target": "bob", "new": "/bin/sh"}),
        ("changed password expiry for bob", {"action": "user_changed", "target": "bob"}),
        ("password for 'bob' changed by 'root'", {"action": "password_changed", "target": "bob", "by": "root"}),
        ("password changed for bob", {"action": "password_changed", "target": "bob"}),
        ("password of group adm changed by root", {"action": "group_password_changed", "group": "adm", "by": "root"}),
    ],
)
def test_messages(message: str, fields: dict[str, Any]) -> None:
    assert parse_account(message).items() >= fields.items()


@pytest.mark.parametrize("message", ["", "new", "new user: name=eve", "add 'eve'", "delete", "user bob", "x"])
def test_the_unknown_has_no_fields(message: str) -> None:
    assert parse_account(message) == {}


def test_a_name_is_taken_whole() -> None:
    name = "x' to group 'adm"
    assert parse_account(f"add '{name}' to group 'sudo'")["group"] == "sudo"
    assert parse_account("user a added by b to group c added by root to group docker")["group"] == "docker"
