"""Messages to systemd: ready, reloading, stopping, alive. Does nothing when not run by systemd.

Protocol: sd_notify(3); one datagram of NAME=VALUE lines to the socket named in NOTIFY_SOCKET.
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress


def notify(*lines: str) -> bool:
    """Send lines such as READY=1; returns whether there was anybody to send them to."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address or address[0] not in "/@":
        return False
    if address[0] == "@":
        address = "\0" + address[1:]
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sender:
        sender.sendto("\n".join(lines).encode(), address)
        return True
    return False


def watchdog_seconds() -> float | None:
    """Return the watchdog's limit in seconds, or None when this process is not watched."""
    limit, pid = os.environ.get("WATCHDOG_USEC", ""), os.environ.get("WATCHDOG_PID", "")
    if not limit.isdigit() or (pid and pid != str(os.getpid())):
        return None
    return int(limit) / 1_000_000
