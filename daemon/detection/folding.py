"""Text without case, for rules and events alike: both sides are folded by the same function, or nothing would agree.

Every character becomes exactly one, whatever stands around it: Unicode's simple case folding, which is also what RE2
means by `(?i)`, with `İ` as an `i`. So a part of a folded text is the fold of that part, a `?` stands for one
character before and after, and an index into the one is an index into the other. `str.lower()` and `str.casefold()`
promise less: they make two characters of some, and of a capital sigma one letter or another by its neighbours.
`ß` and `ss` stay different, as in every folding of one character to one.
"""

_ODD = (
    "\u00b5\u0130\u017f\u0345\u03a3\u03c2\u03d0\u03d1\u03d5\u03d6\u03f0\u03f1\u03f5\u1c80"
    "\u1c81\u1c82\u1c83\u1c84\u1c85\u1c86\u1c87\u1c88\u1e9b\u1fbe\u1fd3\u1fe3\ufb06"
)
_PLAIN = (
    "\u03bc\u0069\u0073\u03b9\u03c3\u03c3\u03b2\u03b8\u03c6\u03c0\u03ba\u03c1\u03b5\u0432"
    "\u0434\u043e\u0441\u0442\u0442\u044a\u0463\ua64b\u1e61\u03b9\u0390\u03b0\ufb05"
)
_PAIRS = tuple(zip(_ODD, _PLAIN, strict=True))
"""What lower-casing does not bring together (CaseFolding.txt of Unicode 15, status C and S)."""


def fold(text: str) -> str:
    """The text as it is compared where case does not matter: as long as it was."""
    if text.isascii():
        return text.lower()
    for odd, plain in _PAIRS:
        if odd in text:
            text = text.replace(odd, plain)
    return text.lower()
