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
            pid=seen["pid"], image=image, command_line=" ".join(command), ppid=seen["ppid"] or 0,
            user=seen["username"] or "",
        )  # fmt: skip
