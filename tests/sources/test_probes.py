"""A call that hangs is left behind with its one thread, and the others are answered."""

import threading

import pytest

from daemon.sources.probes import Probes


def test_results_and_errors_come_back() -> None:
    probes = Probes()
    assert probes.ask("/", lambda: 7) == 7
    with pytest.raises(PermissionError):
        probes.ask("/x", lambda: (_ for _ in ()).throw(PermissionError("/x")))
    assert probes.hung == []


def test_a_call_that_hangs_is_not_made_again_until_it_ends() -> None:
    """The worst bug: one more thread at each reading, for as long as a server is away."""
    probes, go, calls = Probes(patience=0.01), threading.Event(), []

    def hang() -> int:
        calls.append(threading.current_thread())
        go.wait()
        return 1

    for _ in range(5):
        with pytest.raises(TimeoutError, match="/mnt/nfs"):
            probes.ask("/mnt/nfs", hang)
    assert (len(calls), probes.hung) == (1, ["/mnt/nfs"])
    assert probes.ask("/", lambda: 7) == 7
    go.set()
    calls[0].join()
    assert probes.hung == []
    assert probes.ask("/mnt/nfs", hang) == 1
