"""How programs take secrets as arguments. Sources: the manual page of each program."""

import re

from msgspec import Struct


class Tool(Struct, frozen=True):
    """How one program takes secrets.

    `attached`: option letters directly followed by the secret. `separate`: options whose next word is the secret.
    `pairs`: options whose value is `user:secret` (or `user%secret`, `user,secret`). `cookies`: options whose value is
    `name=secret; …`. `flags`: letters without a value, which may stand before one of these letters in one word (`-su`).
    `needs`: one of these words must come before them. `places`: the plain arguments, counted from 1 behind that word,
    that are secrets. `account`: what separates the secret in an argument such as `user/secret@service` (the first one
    only) or `domain/user:secret@host`.
    """

    attached: tuple[str, ...] = ()
    separate: tuple[str, ...] = ()
    pairs: tuple[str, ...] = ()
    cookies: tuple[str, ...] = ()
    flags: str = ""
    needs: tuple[str, ...] = ()
    places: tuple[int, ...] = ()
    account: str = ""


_LOGIN = Tool(separate=("-p",), needs=("login",))
_MYSQL = Tool(attached=("-p",))
_CURL = Tool(
    pairs=("-u", "--user", "-U", "--proxy-user"), cookies=("-b", "--cookie"), flags="sSkLfvigIGnNOJjaBqlMpR0123467#"
)
_LDAP = Tool(attached=("-w",), separate=("-w",), flags="xvnLZWcMCPH")
_SMB = Tool(pairs=("-U", "--user"), flags="NLg")
_P = Tool(attached=("-p",), separate=("-p",))
_SPRAY = Tool(separate=("-p", "-P"))
_HASHED = Tool(separate=("-p", "-H"))
_SNMP = Tool(attached=("-c",), separate=("-c", "-A", "-X"))
_SQL_SERVER = Tool(attached=("-P",), separate=("-P",))
_UPLOAD = Tool(separate=("-p",), needs=("upload", "register", "login"))
_IMPACKET = Tool(account=":")
_IMPACKET_SCRIPTS = (
    "psexec", "wmiexec", "smbexec", "atexec", "dcomexec", "secretsdump", "smbclient", "lookupsid", "samrdump",
    "rpcdump", "reg", "services", "mssqlclient", "getTGT", "getST", "GetUserSPNs", "GetNPUsers", "addcomputer",
)  # fmt: skip
TOOLS: dict[str, Tool] = {
    **dict.fromkeys(("mysql", "mysqldump", "mysqladmin", "mysqlimport", "mysqlshow", "mysqlcheck", "mysqlbinlog",
                     "mysqlpump", "mysqlsh", "mysqlslap", "mysql_upgrade", "mariadb", "mariadb-dump",
                     "mariadb-admin", "mariadb-backup", "mariadb-import", "mariadb-check", "mariadb-show",
                     "mariabackup", "xtrabackup", "mycli"), _MYSQL),
    **dict.fromkeys(("mongo", "mongosh", "mongodump", "mongorestore", "mongoexport", "mongoimport"), _P),
    **dict.fromkeys(("ldapsearch", "ldapmodify", "ldapadd", "ldapdelete", "ldappasswd", "ldapwhoami"), _LDAP),
    **dict.fromkeys(("docker", "podman", "nerdctl", "buildah", "skopeo", "crane", "helm", "oc"), _LOGIN),
    "curl": _CURL,
    "wget": Tool(pairs=("--user", "--proxy-user")),
    **dict.fromkeys(("http", "https", "xh"), Tool(pairs=("-a", "--auth"))),
    **dict.fromkeys(("smbclient", "rpcclient", "smbmap"), _SMB),
    **dict.fromkeys(("hydra", "medusa", "crowbar"), _SPRAY),
    **dict.fromkeys(("evil-winrm", "netexec", "nxc", "crackmapexec"), _HASHED),
    **dict.fromkeys(("useradd", "usermod", "adduser"), Tool(separate=("-p",))),
    **dict.fromkeys(("zip", "unzip", "ipmitool"), Tool(attached=("-P",), separate=("-P",))),
    **dict.fromkeys(("7z", "7za", "7zr", "rar", "unrar"), Tool(attached=("-p", "-hp"))),
    **dict.fromkeys(("xfreerdp", "xfreerdp3", "wlfreerdp"), Tool(attached=("/p:",))),
    "sshpass": _P,
    "rdesktop": Tool(separate=("-p",)),
    "redis-cli": Tool(separate=("-a",)),
    "openssl": Tool(separate=("-k", "-K")),
    **dict.fromkeys(("snmpget", "snmpwalk", "snmpset", "snmpbulkwalk", "snmpbulkget", "snmpgetnext", "snmptrap",
                     "snmptable", "snmpstatus", "snmpdf", "snmptranslate"), _SNMP),
    **dict.fromkeys(("sqlcmd", "bcp", "osql", "mssql-cli", "isql", "tsql"), _SQL_SERVER),
    **dict.fromkeys(("sqlplus", "expdp", "impdp", "sqlldr", "rman"), Tool(account="/")),
    **dict.fromkeys((f"{name}.py" for name in _IMPACKET_SCRIPTS), _IMPACKET),
    **dict.fromkeys((f"impacket-{name}" for name in _IMPACKET_SCRIPTS), _IMPACKET),
    "twine": _UPLOAD,
    "etcdctl": Tool(pairs=("--user",)),
    "rabbitmqctl": Tool(needs=("add_user", "change_password", "authenticate_user"), places=(2,)),
    "ssh-keygen": Tool(attached=("-N", "-P"), separate=("-N", "-P")),
    "lftp": Tool(pairs=("-u", "--user")),
    "ncftpput": Tool(separate=("-p",)),
    "ncftpget": Tool(separate=("-p",)),
    "aws": Tool(separate=("aws_secret_access_key", "aws_session_token")),
    "az": _LOGIN,
    "net": Tool(pairs=("-U", "--user")),
}  # fmt: skip

_LETTERS = 2


def clustered(tool: Tool, word: str, options: tuple[str, ...]) -> int:
    """Where the value begins in a word of joined short options (`-su` → 3), if one of `options` ends the joined flags;
    its length means that the value is the next word. 0 if the word is no such thing.
    """
    if not tool.flags or not re.match(r"-[A-Za-z0-9#]{2}", word):
        return 0
    letters = {option[1] for option in options if len(option) == _LETTERS and option[0] == "-"}
    for at, letter in enumerate(word[1:], start=1):
        if letter in letters:
            return at + 1 if at > 1 else 0
        if letter not in tool.flags:
            return 0
    return 0
