import sqlite3

from daemon.state.migrations import MIGRATIONS


def test_every_step_applies_to_the_one_before() -> None:
    connection = sqlite3.connect(":memory:")
    for script in MIGRATIONS:
        connection.executescript(script)

    tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}

    assert {"checkpoints", "snapshots", "incidents", "anomalies", "alerts", "enrichments", "deliveries"} <= tables
