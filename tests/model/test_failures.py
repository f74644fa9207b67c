from daemon.model import Problem, ProblemsError, Transient


def test_a_problem_reads_as_one_line() -> None:
    problem = Problem("rules/a.yml", 12, "detection.condition", "expected a condition")

    assert str(problem) == "rules/a.yml:12: detection.condition: expected a condition"
    assert str(ProblemsError((problem, problem))).count("\n") == 1
    assert ProblemsError.of("a", "expected b").problems[0].line == 1


def test_a_transient_failure_says_why_and_when() -> None:
    error = Transient("429 Too Many Requests", why="throttled", retry_after=7.0)

    assert (str(error), error.why, error.retry_after) == ("429 Too Many Requests", "throttled", 7.0)
