import pytest

from daemon.model import Decision, Severity


def test_severities_are_ordered_as_sigma_orders_levels() -> None:
    assert max(Severity) is Severity.critical
    assert Severity["high"] > Severity["medium"]


@pytest.mark.parametrize(
    ("decision", "notifies"),
    [
        ("first", True),
        ("escalated", True),
        ("repeated", True),
        ("resolved", True),
        ("suppressed", False),
        ("quiet", False),
    ],
)
def test_a_decision_says_whether_people_are_told(decision: str, *, notifies: bool) -> None:
    assert Decision(decision).notifies is notifies
