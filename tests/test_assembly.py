"""What one configuration builds of the pure half."""

import socket
import subprocess
import sys

from daemon.assembly import build_flow, host_name
from daemon.config import Config
from daemon.detection.rules import parse_rules
from daemon.enrichment.redact import Redactor


def test_the_configured_name_of_the_host_wins() -> None:
    assert host_name(Config(host="web-1")) == "web-1"
    assert host_name(Config()) == socket.gethostname()


def test_a_flow_without_readers_has_read_nothing() -> None:
    flow = build_flow(Config(), parse_rules({}), {}, Redactor())
    assert flow.tallies().open_incidents == 0
    assert flow.latest == float("-inf")


def test_reading_and_matching_import_neither_server_nor_client() -> None:
    """They are a third of what a process weighs that only reads files."""
    code = (
        "import daemon.assembly, sys; print([name for name in ('aiohttp', 'torch', 'sqlite3') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
