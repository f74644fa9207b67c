"""`tellwhy demo` as a person runs it: two waves told, the second cites the first, and nothing is left behind."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from aiohttp import ClientSession

from tests.doubles.real_time import wait_until

pytestmark = [pytest.mark.system, pytest.mark.model, pytest.mark.timeout(240)]


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """Where the demo's story goes."""
    return tmp_path / "out.txt"


@pytest.fixture
def demo(tmp_path: Path, out: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Started, told to keep the daemon running."""
    with out.open("wb") as stdout:
        process = subprocess.Popen(
            [sys.executable, "-m", "daemon", "demo", "--keep"], stdout=stdout, stderr=subprocess.STDOUT,
            env={**os.environ, "TMPDIR": str(tmp_path), "COLUMNS": "200", "OLLAMA_HOST": "http://127.0.0.1:9"},
        )  # fmt: skip
    yield process
    process.kill()
    process.wait(10)


async def test_the_demo_tells_both_waves_answers_questions_and_cleans_up(
    demo: subprocess.Popen[bytes], out: Path, tmp_path: Path
) -> None:
    def said() -> str:
        return out.read_text(encoding="utf-8")

    def left_over() -> list[Path]:
        return list(tmp_path.glob("tellwhy-demo-*"))

    try:
        await wait_until(lambda: "the daemon keeps running" in said() or demo.poll() is not None, 200, said)
        children = psutil.Process(demo.pid).children(recursive=True)
        address = re.findall(r"its endpoint is (http://127.0.0.1:\d+)", said())[0]
        async with ClientSession() as session, session.get(f"{address}/api/v1/incidents") as response:
            incidents = (await response.json())["incidents"]
    finally:
        demo.send_signal(signal.SIGTERM)
        code = demo.wait(30)

    text = said()
    assert code == 128 + signal.SIGTERM
    assert len(incidents) == 12
    assert "12 alerts in" in text
    assert " 0 refused" in text
    assert "6 alerts of the second wave cite the first as a similar incident" in text
    assert not any(child.is_running() and child.status() != psutil.STATUS_ZOMBIE for child in children)
    assert left_over() == []
