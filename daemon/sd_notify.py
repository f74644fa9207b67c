"""Tell systemd how we are: one datagram to `$NOTIFY_SOCKET` (sd_notify(3)), nothing when it is not set."""

import os
import socket


class Notifier:
    """READY, RELOADING, STOPPING, STATUS and WATCHDOG. A missing or broken socket never disturbs the daemon."""

    def __init__(self, address: str | None = None, watchdog_usec: str | None = None) -> None:
        found = os.environ.get("NOTIFY_SOCKET", "") if address is None else address
        self._address = "\0" + found[1:] if found.startswith("@") else found
        usec = os.environ.get("WATCHDOG_USEC", "") if watchdog_usec is None else watchdog_usec
        self.watchdog_seconds = int(usec) / 1_000_000 if usec.isdigit() and int(usec) else None

    def send(self, **assignments: str | int) -> bool:
        """Send `KEY=value` lines (`send(READY=1, STATUS="…")`); True when systemd was told."""
        if not self._address:
            return False
        text = "\n".join(f"{key}={value}" for key, value in assignments.items())
        try:
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as sock:
                sock.sendto(text.encode(), self._address)
        except OSError:
            return False
        return True
