"""The examinations of sources that are no logs: gauges of the host, and what other tools hand over."""

import asyncio
import time
from collections import Counter
from functools import partial

from daemon.cli.finding import Finding
from daemon.config import Config, HostSource, IntakeSource, read_secret
from daemon.sources.aside import read_aside
from daemon.sources.host_samples import HostSamples

_SLOW = 10.0  # seconds that one reading of all gauges may take
_TAKES = {
    "auto": "records of any tool that is known, by their shape",
    "generic": "any JSON",
    "kubernetes_audit": "the audit log of Kubernetes",
}


async def examine_host(source: HostSource) -> Finding:
    """One reading of all gauges: how many there are, which cannot be read, which filesystem does not answer."""
    part, samples = f"source {source.name}", HostSamples(source.name, now=time.time)
    reading = read_aside(partial(samples.read, source.interval))
    if not (await asyncio.wait({reading}, timeout=_SLOW))[0]:
        return Finding(
            part, "wrong", f"a reading of all gauges takes longer than {_SLOW:g} s", "ps -eo pid,stat,wchan,cmd"
        )
    found = reading.result()
    if samples.hung:
        hung = ", ".join(samples.hung)
        return Finding(part, "wrong", f"no answer from {hung}", f"umount -l {samples.hung[0]}, or mend what it is on")
    gauges = sum(len(sample.values) for sample in found)
    if not gauges:
        return Finding(part, "wrong", "no gauge can be read", "mount -t proc proc /proc")
    hidden = Counter(what.partition(" ")[0] for what in samples.absent)
    said = f"; not to be read here: {', '.join(sorted(hidden))}" if hidden else ""
    return Finding(part, "ok", f"{gauges} gauges every {source.interval:g} s{said}")


def examine_intakes(config: Config) -> list[Finding]:
    """Where other tools hand over, and what opens it; a token that cannot be read stands among the problems."""
    found = []
    for source in config.sources:
        token = source.token_file or config.api.token_file if isinstance(source, IntakeSource) else None
        if isinstance(source, IntakeSource) and token is not None and _is_readable(source):
            takes = (
                "fields by your mapping" if source.mapping else _TAKES.get(source.preset, f"records of {source.preset}")
            )
            where = f"POST http://{config.api.listen}/api/v1/events"
            found.append(
                Finding(f"source {source.name}", "ok", f"{where} takes {takes}, opened by the token in {token}")
            )
    return found


def _is_readable(source: IntakeSource) -> bool:
    try:
        return source.token_file is None or bool(read_secret(source.token_file))
    except ValueError:
        return False
