"""In which lines of a text something was found."""

from collections.abc import Iterable, Sequence


def lines_around(
    text: bytes, hits: Iterable[tuple[int, int]], masks: Sequence[int]
) -> tuple[list[tuple[int, int]], list[int]]:
    """`hits` are literals by number and where in `text`, which ends with a newline, they end; `masks` says what each
    tells. Returns where the lines of the hits begin and end (behind their newline), in order, and what the hits in each
    tell together. The last character found may be the newline.
    """
    spans: list[tuple[int, int]] = []
    found: list[int] = []
    reached = 0
    for end, literal in sorted((end, literal) for literal, end in hits):
        if end > reached:
            start, reached = text.rfind(b"\n", 0, end - 1) + 1, text.index(b"\n", end - 1) + 1
            spans.append((start, reached))
            found.append(0)
        found[-1] |= masks[literal]
    return spans, found
