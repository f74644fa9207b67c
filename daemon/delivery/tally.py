"""How often something happened to each delivery, since the process began."""

MAX_COUNTED = 1000


class Tally:
    """Counts by delivery id; of more than `MAX_COUNTED` the ones longest uncounted are forgotten."""

    def __init__(self) -> None:
        self._counts: dict[int, int] = {}

    def add(self, delivery_id: int) -> int:
        """Once more; returns how often by now."""
        count = self._counts.pop(delivery_id, 0) + 1
        if len(self._counts) >= MAX_COUNTED:
            self._counts.pop(next(iter(self._counts)))
        self._counts[delivery_id] = count
        return count

    def forget(self, delivery_id: int) -> None:
        """The delivery ended."""
        self._counts.pop(delivery_id, None)

    def __len__(self) -> int:
        """How many deliveries are counted."""
        return len(self._counts)
