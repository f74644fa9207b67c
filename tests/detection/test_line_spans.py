from hypothesis import given
from hypothesis import strategies as st

from daemon.detection.line_spans import lines_around


def test_a_hit_may_end_with_the_newline_of_its_line() -> None:
    assert lines_around(b"ab\ncd\n", [(0, 3)], [1]) == ([(0, 3)], [1])
    assert lines_around(b"ab\ncd\n", [(0, 4)], [1]) == ([(3, 6)], [1])
    assert lines_around(b"ab\n", [], []) == ([], [])


@given(st.lists(st.text("ab", max_size=4), min_size=1, max_size=8), st.data())
def test_each_line_has_what_was_found_in_it(lines: list[str], data: st.DataObject) -> None:
    text = "".join(f"{line}\n" for line in lines).encode()
    ends = data.draw(st.lists(st.integers(1, len(text)), max_size=8))
    hits = [(number % 3, end) for number, end in enumerate(ends)]
    told: dict[tuple[int, int], int] = {}
    for literal, end in hits:
        line = text[: end - 1].count(b"\n")
        start = sum(len(one) + 1 for one in lines[:line])
        span = (start, start + len(lines[line]) + 1)
        told[span] = told.get(span, 0) | (1, 2, 4)[literal]
    spans, masks = lines_around(text, hits, [1, 2, 4])
    assert spans == sorted(told)
    assert dict(zip(spans, masks, strict=True)) == told
