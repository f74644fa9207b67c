"""The `tellwhy` command: arguments in, exit code out.

Exit codes: 0 done (replay: nothing found; doctor: all well), 1 a component gave up (doctor: something is wrong; rules
test: a sample did not hold) or the output cannot be written, 2 bad input (configuration, rules, files, arguments),
3 replay found anomalies. Errors are sentences on stderr, never tracebacks.
"""


def main() -> None:
    """Run the command line."""
    from daemon.cli.app import app  # noqa: PLC0415 - `import daemon.cli` must stay cheap
    from daemon.cli.failing import guard  # noqa: PLC0415 - as above

    guard(app)
