"""What secrets look like in text: tokens by their shape, values by the name before them.

All expressions are RE2 (linear time on hostile text). Group `v` is the secret, the rest of a match is kept; without a
group the whole match goes. Token shapes follow the vendors' documented prefixes.
"""

from msgspec import Struct


class Shape(Struct, frozen=True):
    """One kind of secret. `guarded`: a match is only a secret if its value does not look like a placeholder."""

    kind: str
    expression: str
    guarded: bool = False


_UNQUOTED = r"[^\s\"'|<>;&\\]+"
_VALUE = (
    r'(?:\\"(?P<v3>[^"\\]+)|"(?P<v1>(?:[^"\\]|\\.)+)"?|'
    r"'(?P<v2>[^']+)'?|"
    rf"(?P<v>{_UNQUOTED}(?:\\[^\s\"']{_UNQUOTED})*))"
)
_STRONG = (
    r"pass(?:word|wd|phrase|code)|passwort|secret|token|api[_.-]?key|storepass|keypass|requirepass|masterauth"
    r"|(?:access|secret|private|auth|account|shared|master|signing|encryption|session|license|subscription)[_.-]?key"
    r"|credentials?|connection[_-]?string"
)
_WEAK = r"pass|pwd|pw|psk|passin|passout|sshpass|(?-i:[a-z]\w*(?:Pass|Pwd))"
SECRET_NAME = rf"(?:[\w.-]*(?:{_STRONG})|(?:[\w.-]*[_.-])?(?:{_WEAK}))\d{{0,3}}"
"""A name whose value is a secret: it ends in a word for one (`password_file` and `passwd_tries` do not)."""
_ARGUMENT = r"(?:a\d{1,5}(?:\[\d+\])?=)?"
_FLAG_NAME = rf"(?:[\w.-]*(?:{_STRONG})|(?:[\w-]*-)?(?:pass|pwd|pw|psk|passin|passout))"

SHAPES: tuple[Shape, ...] = (
    Shape(
        "private-key",
        r"(?s)-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----(?:.+?-----END [A-Z0-9 ]{0,40}PRIVATE KEY"
        r"(?: BLOCK)?-----|(?:\\[nr]|\s){0,4}[A-Za-z0-9+/=\\\s]{16,})",
    ),
    Shape("aws-key", r"\b(?:AKIA|ASIA|ABIA|ACCA)[A-Z0-9]{12,128}"),
    Shape("jwt", r"\beyJ[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}(?:\.[A-Za-z0-9_-]*){0,3}"),
    Shape(
        "token",
        r"\b(?:gh[pousr]_[A-Za-z0-9]{16,}|github_pat_\w{20,}|gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|soat|ffct"
        r"|oas)-[\w.-]{16,}|GR1348941[\w-]{16,}"
        r"|xox[a-z](?:\.xox[a-z])?-[\w.-]{8,}|xapp-[\w-]{8,}|[rsp]k_(?:live|test)_[A-Za-z0-9]{8,}"
        r"|whsec_[A-Za-z0-9+/=_-]{16,}|AIza[\w-]{30,}|ya29\.[\w-]{20,}|npm_[A-Za-z0-9]{30,}|pypi-[\w-]{30,}"
        r"|SG\.[\w-]{16,}\.[\w-]{16,}|sk-(?:proj|ant|or|svcacct)[\w-]{16,}|sk-[A-Za-z0-9]{20,}|hf_[A-Za-z0-9]{30,}"
        r"|do[opr]_v1_[a-f0-9]{32,}"
        r"|hv[sbr]\.[\w-]{20,}|\d{8,10}:AA[\w-]{33}|dapi[a-f0-9]{32}|AGE-SECRET-KEY-1[A-Z0-9]{20,}"
        r"|SK[0-9a-f]{32}|shp(?:at|ca|pa|ss)_[a-fA-F0-9]{32}|[MNO][A-Za-z\d_-]{23,27}\.[\w-]{6}\.[\w-]{27,})",
    ),
    Shape("password-hash", r"\$(?:1|2[abxy]|5|6|7|y|gy|apr1|sha1|argon2id?|scrypt|pbkdf2[\w-]*)\$[\w./$=,+-]{13,}"),
    Shape(
        "webhook",
        r"(?i)(?:hooks\.slack\.com/(?:services|workflows|triggers)/|discord(?:app)?\.com/api/(?:v\d+/)?webhooks/"
        r"|[\w-]+\.webhook\.office\.com/|outlook\.office(?:365)?\.com/webhook/|[\w.-]+\.logic\.azure\.com(?::\d+)?/"
        r"|api\.telegram\.org/bot|[\w.-]+\.powerplatform\.com(?::\d+)?/|chat\.googleapis\.com/v1/spaces/)"
        r"(?P<v>[^\s\"'<>|\\)\]]+)",
    ),
    Shape("password", r"(?i)\b[a-z][a-z0-9+.-]*://[^\s/:@\"'<>]*:(?P<v>[^\s/\"'<>]+)@", guarded=True),
    Shape(
        "authorization",
        r"(?i)\bauthorization\\?[\"']?\s*[:=]\s*\\?[\"']?(?:(?:bearer|basic|token|negotiate|ntlm|apikey|key|splunk"
        r"|digest|bot|genie[a-z]*)\s+)?(?P<v>[^\s\"',;\\]+)",
        guarded=True,
    ),
    Shape("authorization", r"(?i)\b(?:bearer|basic)\s+(?P<v>[A-Za-z0-9._~+/=-]{8,})", guarded=True),
    Shape(
        "cookie",
        r"(?i)\b(?:set-)?cookie\\?[\"']?\s*:\s*"
        r"(?P<v>[^\s\"';=]+=[^\s\"';]+(?:;\s*[^\s\"';=]+=[^\s\"';]+)*)",
    ),
    Shape(
        "password",
        rf"(?i)(?:^|[\s\"'=])--?{_FLAG_NAME}[\"']?\s+{_ARGUMENT}{_VALUE}",
        guarded=True,
    ),
    Shape(
        "password",
        rf"(?i)(?:(?:^|[^\w./-])-*{SECRET_NAME}\\?[\"']?\s*(?:=>|:=|==?|:)\s*|/{SECRET_NAME}=){_VALUE}",
        guarded=True,
    ),
    Shape(
        "signature",
        r"(?i)[?&](?:sig|signature|x-amz-signature|x-amz-security-token|x-goog-signature|hmac|code|auth|key"
        r"|sas)=(?P<v>[^\s&#\"'<>]{8,})",
        guarded=True,
    ),
    Shape(
        "password", rf"(?i)(?:^|[^\w./-])-*{SECRET_NAME}(?:%3D|%3A)(?P<v>(?:[^\s\"'<>;&%]|%[^2]|%2[^6])+)", guarded=True
    ),
    Shape("password", r"(?i)\bsend(?:_user)?(?:\s+--)?\s+\\?[\"'](?P<v>[^\s\"'\\]+)\\{1,2}[rn]", guarded=True),
    Shape("password", r"(?i)<[\w:.-]*(?:pass(?:word|wd|phrase)?|secret|token|api-?key)>(?P<v>[^<]+)</", guarded=True),
    Shape(
        "password",
        r"(?i)\b(?:identified\s+(?:with\s+\S+\s+)?by\s+(?:password\s+)?|password\s*\(\s*|password\s+)\\?'(?P<v>[^']+)'",
        guarded=True,
    ),
)

WHOLE_NAME = rf"(?i)-{{0,2}}(?:{SECRET_NAME})"
"""Whole names (of fields, of options) whose value is a secret."""

HINT = (
    r"(?i)-----begin|pass|pwd|\bpw|_pw|psk|secret|token|api[_.-]?key|storepass|masterauth|[a-z][_.-]?key[\s\"\\'=:]"
    r"|authorization|credential|bearer|basic\s|cookie|://[^\s/]*@|hooks\.|webhook|discord"
    r"|azure|powerplatform|googleapis|akia|asia|abia|acca|eyj|gh[pousr]_|github_pat|\bgl[a-z]{2,5}-|gr1348941|xox[a-z]"
    r"|xapp-|k_live|k_test|whsec_|aiza|ya29|npm_|pypi-|\bsg\.|\bsk|hf_|_v1_|\bhv[sbr]\.|\d:aa|dapi|shp[a-z]{2}_"
    r"|[mno][a-z\d_-]{23,27}\.|identified|connection|telegram|[?&](?:sig|hmac|code|auth|key|sas|x-)|%3[ad]|send"
    r"|\$(?:\d|gy|y|apr|argon|scrypt|pbkdf)"
)
"""If neither this nor TOOL_HINT matches, nothing here does: ordinary text is left after one linear scan."""

TOOL_HINT = (
    r"(?i)pass|mysql|mariadb|mycli|mongo|ldap|docker|podman|nerdctl|buildah|skopeo|crane|helm|redis|htpasswd|openssl"
    r"|curl|wget"
    r"|zip|7z|\brar|unrar|hydra|winrm|ipmitool|useradd|usermod|adduser|desktop|freerdp|snmp|netexec|crackmapexec|nxc"
    r"|smbclient|rpcclient|\bhttps?\s|nmcli|wpa_|sudo|kinit|cryptsetup|\bsu\b|impacket|sqlplus|sqlcmd|\bbcp\b|osql"
    r"|mssql|isql|tsql|\.py\b|expdp|impdp|\brman\b|sqlldr|etcdctl|rabbitmq|\baws\b|\baz\b|twine|ssh-keygen|lftp"
    r"|ncftp|crowbar"
    r"|\b[0-9a-f]{16}"
)
"""Programs that take secrets as arguments, and runs of hex digits that may hide one."""

PLACEHOLDER = (
    r"(?i)\[redacted:[a-z-]+\].*|\*+|x{3,}|<[^>]*>|\.{3}|…|%[sdv]|(?-i:\$\{?[A-Z_][A-Z0-9_]*\}?|\$\{?[a-z_]+\}|\$\d)"
    r"|\$\(.*|`.*|\(?null\)?|\(?none\)?|nil"
    r"|undefined|true|false|yes|no|\?|-+|redacted|\[?hidden\]?|required|expired|invalid|missing|changed|failed|failure"
    r"|incorrect|wrong|unexpected|authentication|authenticating|unknown|empty|not|is|was|for|set|unset|prompt|stdin"
    r"|env:\w+|file:\S+"
    r"|chauthtok|session|account|auth|password|user|username|updated|login|sent|accepted|rejected|ok|pam_\S+"
)
"""Values that stand for a secret or say something about one, and are not one."""
