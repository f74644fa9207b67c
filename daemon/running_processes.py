"""What runs on this host at this moment, for the process table: an audit log tells only of what starts later."""

from collections.abc import Iterator

import psutil

from daemon.events.processes import Process

_ASKED = ["pid", "ppid", "exe", "name", "cmdline", "username"]


def running_processes() -> Iterator[Process]:
    """The processes that may be looked at; a program that may not be resolved goes by its name.

    What ends meanwhile is left out. Never raises for a single process. Kernel threads have no program and are left out.
    """
    for process in psutil.process_iter(_ASKED, ad_value=None):
        seen = process.info
        image = seen["exe"] or seen["name"] or ""
        command = seen["cmdline"] or []
        if not image or (not seen["exe"] and not command):
            continue
        yield Process(
            pid=seen["pid"], image=_text(image), command_line=_text(" ".join(command)), ppid=seen["ppid"] or 0,
            user=_text(seen["username"] or ""),
        )  # fmt: skip


def _text(name: str) -> str:
    r"""Bytes that are no UTF-8 as `\xff`, as in what is read from an audit log: lone surrogates cannot be stored."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
