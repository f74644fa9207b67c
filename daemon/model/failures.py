"""What goes wrong: problems with files, and the two errors that cross a contract."""

from msgspec import Struct


class Problem(Struct, frozen=True):
    """One thing wrong with a config or rule file, said as `path:line: key: expected …`."""

    path: str
    line: int
    key: str
    expected: str

    def __str__(self) -> str:
        """The one line that people read."""
        return f"{self.path}:{self.line}: {self.key}: {self.expected}"


class ProblemsError(ValueError):
    """Config or rules are invalid; carries every problem, never just the first."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems

    @classmethod
    def of(cls, path: str, expected: str, key: str = "(file)") -> "ProblemsError":
        """One problem with a file as a whole."""
        return cls((Problem(path, 1, key, expected),))


class Transient(Exception):  # noqa: N818 - a contract word: "this failure is transient"
    """Try again later; `retry_after` in seconds if the other side named it."""

    def __init__(self, detail: str, *, why: str = "unavailable", retry_after: float | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.why = why
        self.retry_after = retry_after


class Refused(Exception):  # noqa: N818 - a contract word: "the other side refused"
    """Never try this again; `gone` when the whole destination asks not to be called any more."""

    def __init__(self, detail: str, *, why: str = "refused", gone: bool = False) -> None:
        super().__init__(detail)
        self.detail = detail
        self.why = why
        self.gone = gone
