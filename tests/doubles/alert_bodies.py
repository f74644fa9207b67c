"""What a receiver of Standard Webhooks was told."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from tests.doubles.receiver import Receiver


def alerts_in(receiver: Receiver) -> list[dict[str, Any]]:
    """The `data` of every request, in the order of their coming."""
    return [json.loads(request.body)["data"] for request in receiver.received]


def entities_in(receiver: Receiver) -> list[str]:
    """Whom they were about, each once, in the order of their first coming."""
    return list(dict.fromkeys(alert["entity"] for alert in alerts_in(receiver)))


def told_apart(bodies: Mapping[str, Iterable[bytes]]) -> list[str]:
    """The messages (`webhook-id`) that came with more than one body."""
    return [message for message, said in bodies.items() if len(set(said)) > 1]
