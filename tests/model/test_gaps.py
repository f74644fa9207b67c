from daemon.model import Gap, Unseen


def test_a_gap_needs_no_detail_and_a_time_has_both_ends() -> None:
    gap = Gap("evidence", "incomplete")
    assert gap.detail == ""
    assert Unseen("web-1", 1.0, 2.0, gap) == Unseen(host="web-1", since=1.0, until=2.0, gap=gap)
