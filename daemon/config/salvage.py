"""What can be used of a configuration with mistakes, so that what else is wrong (files, secrets, rules) is told with
them. Nothing runs with it.

A key that is wrong is left out, and so has its default. Sources and webhooks keep their places, because their problems
are told by them: one that cannot be used becomes one that nothing is wrong with.
"""

import copy
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import TypeAdapter, ValidationError

from daemon.config.schema import Config, SourceConfig, Webhook

_STAND_INS: dict[str, dict[str, Any]] = {
    "sources": {"type": "gpu", "name": "mistaken"},
    "webhooks": {"name": "mistaken", "url": "https://webhook.invalid/"},
}
_ELEMENTS: dict[str, TypeAdapter[Any]] = {"sources": TypeAdapter(SourceConfig), "webhooks": TypeAdapter(Webhook)}
_SECTIONS: dict[str, TypeAdapter[Any]] = {
    name: TypeAdapter[Any](field.annotation or Any)
    for name, field in Config.model_fields.items()
    if name not in _ELEMENTS
}


def salvage(data: Mapping[Any, Any]) -> Config:
    """Every key that is right in itself; what must fit together may not."""
    kept: dict[str, Any] = {}
    for name, given in data.items():
        if name in _ELEMENTS:
            kept[name] = tuple(_element(name, one) for one in given) if isinstance(given, list) else ()
        elif name in _SECTIONS and (found := _without_mistakes(_SECTIONS[name], given)) is not None:
            kept[name] = found
    return Config.model_construct(**kept)


def _element(name: str, given: Any) -> Any:
    found = _without_mistakes(_ELEMENTS[name], given)
    return _ELEMENTS[name].validate_python(_STAND_INS[name]) if found is None else found


def _without_mistakes(adapter: TypeAdapter[Any], given: Any) -> Any:
    """The value, checked, without the keys that are wrong; None where that leaves nothing that can be used."""
    left, wrong = copy.deepcopy(given), True
    while wrong:
        try:
            return adapter.validate_python(left)
        except ValidationError as error:
            wrong = any(_drop(left, details["loc"]) for details in error.errors())
    return None


def _drop(value: Any, location: Sequence[Any]) -> bool:
    """Take the deepest key that a location names out of a value, and tell whether there is one. A list goes as a whole,
    so that the places of others stay.
    """
    if not isinstance(value, dict) or not location:
        return False
    key, *rest = location
    if key not in value:  # the tag of a tagged value, which pydantic names first
        return _drop(value, rest)
    if not _drop(value[key], rest):
        del value[key]
    return True
