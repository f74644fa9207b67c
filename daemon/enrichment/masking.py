"""Text → the same text without what changes from one incident to the next. Pure.

Addresses, ids, numbers and the names of temporary files become placeholders; what tells one cause from another
(binary names, options, file paths, words) stays. Two incidents of one cause so give the same, or nearly the same,
text: both the fingerprint that folds duplicates and the embedding are made from it.
"""

import re

MAX_MASKED = 4000
"""Characters of the input that are looked at; the embedding model reads about a thousand."""

_OCTET = r"(?:25[0-5]|2[0-4]\d|1?\d?\d)"
_PARTS = {
    "uuid": r"(?<![0-9A-Fa-f])[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}(?![0-9A-Fa-f])",
    "time": r"(?<!\d)\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?"
    r"|(?<![\w:])\d\d:\d\d:\d\d(?:[.,]\d+)?(?![\w:])",
    "tmp": r"(?<![\w.-])/(?:tmp|var/tmp|dev/shm|run/user/\d+)/[^\s'\"`;|&<>(),:]+",
    "home": r"(?<![\w.-])/home/[^\s/'\"`;|&<>(),:]+",
    "host": r"(?<=://)(?:[^\s/@'\"]{1,100}@)?[\w.-]{1,253}(?::\d{1,5})?",
    "ip": rf"(?<![\w.]){_OCTET}(?:\.{_OCTET}){{3}}(?::\d{{1,5}})?(?:/\d{{1,2}})?(?![\w])(?!\.\d)",
    "ip6": r"(?<![\w:])(?=[0-9A-Fa-f:.]*:[0-9A-Fa-f:.]*:)[0-9A-Fa-f]{0,4}(?::[0-9A-Fa-f]{0,4}){2,8}"
    r"(?:(?:\.\d{1,3}){3})?(?![\w:])",
    "hex": r"(?<!\w)(?:0[xX][0-9A-Fa-f]+|(?=[A-Fa-f]*\d)[0-9A-Fa-f]{8,})(?!\w)",
    "blob": r"(?<![\w+/])(?=[A-Za-z+/]*\d)(?=[\da-z+/]*[A-Z])(?=[\dA-Z+/]*[a-z])[A-Za-z0-9+/]{24,}={0,2}(?![\w+/])",
    # not in python3, T1059.004, -9 or 2>&1: those say what happened
    "num": r"(?<![\w.])(?<!\s-)(?<!>&)(?!\d>)\d+(?:\.\d+)*(?:ms|[smhd%]|[kKMGT]i?B?)?(?!\w)",
}
_VOLATILE = re.compile("|".join(f"(?P<{name}>{pattern})" for name, pattern in _PARTS.items()))
_SPACE = re.compile(r"\s+")


def _placeholder(match: re.Match[str]) -> str:
    kind = match.lastgroup or ""
    if kind == "tmp":
        head = match[0].split("/")
        depth = 2 if head[1] == "tmp" else 3
        return "/".join(head[:depth]) + "/<name>"
    if kind == "home":
        return "/home/<user>"
    return {"ip6": "<ip>"}.get(kind, f"<{kind}>")


def clean(text: str, limit: int) -> str:
    """At most `limit` characters, on one line, that any encoder accepts (lone surrogates are replaced)."""
    flat = _SPACE.sub(" ", text[: 2 * limit]).strip()
    return flat[:limit].encode("utf-8", "replace").decode("utf-8")


def mask(text: str) -> str:
    """The text with volatile values replaced by placeholders such as `<ip>`, `<num>`, `/tmp/<name>`.

    Linear in the input. Input and output are cut at `MAX_MASKED` characters.
    """
    return _VOLATILE.sub(_placeholder, clean(text, MAX_MASKED))[:MAX_MASKED]
