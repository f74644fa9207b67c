from daemon.detection.ordered import Ordered
from daemon.detection.timeline import new_window
from daemon.detection.windows import feed_window

SPAN = 60.0


def firings(orders: list[str], entries: list[tuple[float, str]]) -> list[float]:
    window, pattern = new_window(), Ordered([tuple(order) for order in orders], SPAN)
    return [at for at, value in entries if feed_window(window, at, value, pattern, SPAN) is not None]


def test_one_of_several_orders_is_enough() -> None:
    assert firings(["ab", "ac"], [(0, "a"), (1, "c")]) == [1]
    assert firings(["ab", "ac"], [(0, "b"), (1, "c"), (2, "a")]) == []
    assert firings(["a", "bc"], [(0, "b"), (1, "c"), (70, "a")]) == [1, 70]


def test_two_of_three_in_the_order_written() -> None:
    orders = ["ab", "ac", "bc"]
    assert firings(orders, [(0, "b"), (1, "a"), (2, "c")]) == [2]
    assert firings(orders, [(0, "c"), (1, "b"), (2, "a")]) == []


def test_the_chains_of_all_orders_survive_a_flood() -> None:
    flood = [(1 + n / 100, "xy"[n % 2]) for n in range(2000)]
    for last, orders in (("c", ["ac", "bd"]), ("d", ["ac", "bd"])):
        start = [(0.0, "a"), (0.5, "b")]
        assert firings([*orders, "xq", "yq"], [*start, *flood, (40.0, last)]) == [40.0]


def test_a_flood_stays_bounded() -> None:
    window, pattern = new_window(), Ordered([tuple("abq"), tuple("baq")], SPAN)
    for n in range(1500):
        feed_window(window, n / 100, "ab"[n % 2], pattern, SPAN)
        assert len(window.ats) <= 140
