"""Secrets that only the command around them gives away: `mysql -pX`, `curl -u user:X`, `echo X | sudo -S`.

Works on argument vectors, and on text by splitting it into words the way a shell would, including the raw audit form
(`a1="--password" a2="X"`). Built for log text: unbalanced quotes are no error, and time is linear in the length.
"""

import re
from collections.abc import Iterator, Sequence

import re2
from msgspec import Struct

from daemon.enrichment.secret_patterns import PLACEHOLDER, SECRET_NAME, WHOLE_NAME
from daemon.enrichment.secret_tools import TOOLS, Tool, clustered

MARK = "[redacted:password]"
_PIECE = re.compile(r"""[^\s"';|&]+|[;|&]+|\s+|["']""")
_CLOSING = re.compile(r'(?:[^"\\]|\\.)*"', re.DOTALL)
_ARGUMENT = re.compile(r"a\d{1,5}(?:\[\d+\])?=")
_ACCOUNTS = {
    ":": re.compile(r"(?:[^\s/:@]*/[^\s/:@]*:([^\s/]+?)(?:@[^\s@]*)?|[^\s/:@]+:([^\s/]+)@[^\s@]*)"),
    "/": re.compile(r"[A-Za-z][\w$#]*/([^\s@/]+)(?:@\S*)?"),
}
"""`dom/user:secret@host`, `user:secret@host`; `user/secret@service`."""
_NAME = re2.compile(WHOLE_NAME)
_NO_SECRET = re2.compile(PLACEHOLDER)
_BREAKS = frozenset({"|", "||", "&&", "&", ";", "|&", ";;"})


_REACH = 64
"""Words of one command that are looked at together: hostile text repeats a program's name thousands of times."""
_RESET = frozenset({"ssh", "scp", "sftp", "rsync", "mkdir", "cp", "tar", "nmap", "ss", "netstat"})
"""Programs whose own options end the reach of a wrapper such as sshpass."""
_READS_STDIN = frozenset({"passwd", "kinit", "su", "cryptsetup", "smbpasswd", "ssh-add", "gpg", "openssl"})
_POSITIONAL = frozenset({"htpasswd", "mkpasswd", "wpa_passphrase", "nmcli"})
_VALUED = {"openssl": {"-salt", "-in"}, "mkpasswd": {"-m", "--method", "-S", "--salt", "-R", "--rounds"}}
_TELLING = re2.compile(
    rf"[|]|<<<|=[0-9A-Fa-f]{{16}}|(?:^|[^\w.])-(?i:{SECRET_NAME})"
    rf"|(?:^|[^\w.-])(?:{'|'.join(map(re.escape, sorted({*TOOLS, *_POSITIONAL})))})(?:[^\w.-]|$)"
)


def may_tell(text: str) -> bool:
    """Whether words of a text (as `split_words` finds them, or in hex behind a `=`) may be such that `secret_spans`
    finds anything: a pipe, a here-string, an option named like a secret, or a program of which it knows how it takes
    them. Far cheaper than to split it.
    """
    return _TELLING.search(text) is not None


class Word(Struct, frozen=True):
    """One argument: its text without quotes and argument number, and where that text lies."""

    text: str
    start: int
    end: int


def split_words(text: str) -> list[Word]:
    """Text → words, quotes and a leading `a0=` taken off; separators such as `|` are words of their own."""
    words: list[Word] = []
    begin = at = 0
    closes = {'"': True, "'": True}
    while at < len(text):
        piece = _PIECE.match(text, at)
        assert piece is not None  # the pieces cover every character
        breaks = text[at] in ";|&" or text[at].isspace()
        if breaks and begin < at:
            words.append(_word(text, begin, at))
        if text[at] in ";|&":
            words.append(Word(piece[0], at, piece.end()))
        at = _after_quote(text, at, closes) if text[at] in closes else piece.end()
        begin = at if breaks else begin
    if begin < at:
        words.append(_word(text, begin, at))
    return words


def _after_quote(text: str, at: int, closes: dict[str, bool]) -> int:
    """Behind the closing quote. One that is missing is looked for once per text, so the time stays linear."""
    quote = text[at]
    end = -1
    if closes[quote] and quote == "'":
        end = text.find(quote, at + 1) + 1 or -1
    elif closes[quote]:
        closing = _CLOSING.match(text, at + 1)
        end = closing.end() if closing else -1
    closes[quote] = closes[quote] and end > 0
    return end if end > 0 else at + 1


def _word(text: str, start: int, end: int) -> Word:
    numbered = _ARGUMENT.match(text, start, end)
    start = numbered.end() if numbered else start
    if end - start > 1 and text[start] in "\"'" and text[end - 1] == text[start]:
        start, end = start + 1, end - 1
    return Word(text[start:end], start, end)


def secret_spans(words: Sequence[str]) -> list[tuple[int, int, int]]:
    """(word index, start, end) of each secret in an argument vector; ends never exceed the word."""
    spans: list[tuple[int, int, int]] = []
    begin = 0
    segments: list[tuple[int, int]] = []
    for index, word in enumerate([*words, ";"]):
        if word in _BREAKS:
            segments.append((begin, index))
            begin = index + 1
    for number, (start, end) in enumerate(segments):
        spans += _in_segment(words, start, end)
        piped = end < len(words) and words[end] in {"|", "|&"}
        if piped and number + 1 < len(segments):
            spans += _piped(words, (start, end), segments[number + 1])
    return [span for span in spans if span[1] < span[2] and not words[span[0]][span[1] :].startswith("[redacted:")]


def _in_segment(words: Sequence[str], start: int, end: int) -> Iterator[tuple[int, int, int]]:
    tool: Tool | None = None
    name, begun = "", start
    for index in range(start, end):
        called = words[index].rsplit("/", 1)[-1]
        if called in TOOLS or called in _RESET:
            tool, name = TOOLS.get(called), called
            begun = index
        elif tool is not None and _armed(tool, words[start : min(index, start + _REACH)]):
            yield from _option(tool, words, index, end)
            yield from _plain(tool, words, begun, index)
        if words[index].startswith("-"):
            yield from _named(words, index, end)
        if called in _POSITIONAL or (name, called) == ("openssl", "passwd"):
            yield from _positional(name if called == "passwd" else called, words, index, end)
    yield from _here_string(words, start, end)


def _armed(tool: Tool, before: Sequence[str]) -> bool:
    """Whether the words so far make the tool one that takes a secret."""
    return not tool.needs or any(word in before for word in tool.needs)


def _option(tool: Tool, words: Sequence[str], index: int, end: int) -> Iterator[tuple[int, int, int]]:
    word = words[index]
    following = index + 1 < end and not words[index + 1].startswith("-")
    for options, find in ((tool.separate, _whole), (tool.pairs, _after_name), (tool.cookies, _cookie)):
        if word in options:
            yield from find(words, index + 1, 0) if following else ()
            return
        at = clustered(tool, word, options)
        if at:
            here = at < len(word)
            yield from find(words, index, at) if here else find(words, index + 1, 0) if following else ()
            return
        for option in options:
            long = option.startswith("--")
            if find is not _whole and word.startswith(option) and (word[len(option)] == "=" or not long):
                yield from find(words, index, len(option) + long)
    for option in tool.attached:
        if word.startswith(option) and len(word) > len(option):
            yield index, len(option), len(word)


def _whole(words: Sequence[str], index: int, start: int) -> Iterator[tuple[int, int, int]]:
    yield index, start, len(words[index])


def _cookie(words: Sequence[str], index: int, start: int) -> Iterator[tuple[int, int, int]]:
    """The values of `name=value; …`; without a `=` it is the name of a file."""
    at = words[index].find("=", start)
    if at >= 0 and at + 1 < len(words[index]):
        yield index, at + 1, len(words[index])


def _plain(tool: Tool, words: Sequence[str], begun: int, index: int) -> Iterator[tuple[int, int, int]]:
    """A secret that is told by its place among the arguments that are no options, or by the account before it."""
    if words[index].startswith("-") or index - begun > _REACH:
        return
    begun = max([begun, *(at for at in range(begun, index) if words[at] in tool.needs)])
    place = sum(not word.startswith("-") for word in words[begun + 1 : index + 1])
    if place in tool.places:
        yield index, 0, len(words[index])
    pattern = _ACCOUNTS.get(tool.account)
    found = pattern.fullmatch(words[index]) if pattern and (tool.account == ":" or place == 1) else None
    if found is not None and found.lastindex:
        yield index, *found.span(found.lastindex)


def _named(words: Sequence[str], index: int, end: int) -> Iterator[tuple[int, int, int]]:
    """The value of an option whose name says that it is a secret: `--password X`, `--password=X`."""
    name, equals, value = words[index].partition("=")
    if not name.isascii() or name.startswith("--no-") or not _NAME.fullmatch(name):
        return
    if equals and value and not (value.isascii() and _NO_SECRET.fullmatch(value)):
        yield index, len(name) + 1, len(words[index])
    elif not equals and index + 1 < end and not words[index + 1].startswith("-"):
        following = words[index + 1]
        if not following.isascii() or not _NO_SECRET.fullmatch(following):
            yield index + 1, 0, len(following)


def _after_name(words: Sequence[str], index: int, start: int) -> Iterator[tuple[int, int, int]]:
    """The secret of `user:secret`, `user%secret` or `user,secret`; a bare user has none."""
    word = words[index]
    found = [at for at in (word.find(mark, start) for mark in ":%,") if at > start]
    if found and min(found) + 1 < len(word):
        yield index, min(found) + 1, len(word)


def _positional(name: str, words: Sequence[str], at: int, end: int) -> Iterator[tuple[int, int, int]]:
    rest: list[int] = []
    end = min(end, at + _REACH)
    index = at + 1
    while index < end:
        if words[index] in _VALUED.get(name, set()):
            index += 1
        elif not words[index].startswith(("-", ">", "<", "2>")):
            rest.append(index)
        index += 1
    options = "".join(word for word in words[at + 1 : end] if word.startswith("-") and not word.startswith("--"))
    if name == "htpasswd":
        chosen = rest[-1:] if "b" in options and len(rest) > 1 else []
    elif name == "wpa_passphrase":
        chosen = rest[1:2]
    elif name == "nmcli":
        chosen = [i + 1 for i in rest if words[i] in {"password", "wifi-sec.psk"} and i + 1 < end]
    else:
        chosen = rest[:1]
    for index in chosen:
        yield index, 0, len(words[index])


def _reader(words: Sequence[str], start: int, end: int) -> str:
    """What reads a secret from its input in this segment: `pairs` (chpasswd), `secret`, or nothing."""
    names = {word.rsplit("/", 1)[-1] for word in words[start:end]}
    if "chpasswd" in names:
        return "pairs"
    asks = "sudo" in names and any(re.fullmatch(r"-[A-Za-z]*S[A-Za-z]*|--stdin", word) for word in words[start:end])
    return "secret" if asks or names & _READS_STDIN else ""


def _piped(words: Sequence[str], left: tuple[int, int], right: tuple[int, int]) -> Iterator[tuple[int, int, int]]:
    reader = _reader(words, *right)
    printers = [i for i in range(*left) if words[i].rsplit("/", 1)[-1] in {"echo", "printf"}]
    if not reader or not printers:
        return
    for index in range(printers[0] + 1, left[1]):
        if reader == "pairs":
            yield from _after_name(words, index, 0)
        elif not re.fullmatch(r"-[neE]+|(?:%s|\\n|\\\\n)+", words[index]):
            yield index, 0, len(words[index])


def _here_string(words: Sequence[str], start: int, end: int) -> Iterator[tuple[int, int, int]]:
    reader = _reader(words, start, end)
    for index in range(start, end):
        if not reader or not words[index].startswith("<<<"):
            continue
        at, begin = (index, 3) if len(words[index]) > 3 else (index + 1, 0)  # noqa: PLR2004 - length of <<<
        if at < end and reader == "pairs":
            yield from _after_name(words, at, begin)
        elif at < end:
            yield at, begin, len(words[at])
