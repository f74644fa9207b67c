"""The OpenAPI 3.1 document, from the literal list of routes and the types that are really sent and checked."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec
from aiohttp import web

from daemon.api.errors import MEANING, ErrorShape

JSON = "application/json"
_LATER = {"Retry-After": {"description": "seconds to wait before another try", "schema": {"type": "integer"}}}
_REFERENCE = "#/components/schemas/{name}"


@dataclass(frozen=True, slots=True)
class Route:
    """One route: who answers, what it takes and gives. `also` are other statuses that carry the same shape, `errors`
    those that carry an error; `open` routes never ask for the token, and `asks` names what one always asks for; `media`
    other than JSON has no shape. `takes` are bodies without a shape of ours, by media type, as JSON schemas; `headers`
    are those of a request that mean something, with what they mean.
    """

    method: str
    path: str
    handler: Callable[[web.Request], Awaitable[web.StreamResponse]]
    summary: str
    gives: type | None
    query: type | None = None
    body: type | None = None
    also: tuple[int, ...] = ()
    errors: tuple[int, ...] = ()
    open: bool = False
    media: str = JSON
    asks: tuple[str, ...] = ()
    takes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)


def build_document(routes: Sequence[Route], version: str) -> dict[str, Any]:
    """The document as JSON-ready values."""
    shapes = _shapes(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "tellwhy",
            "version": version,
            "summary": "Alerts that say why: health, incidents, questions.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "security": [{"bearer": []}, {}],
        "paths": paths,
        "components": {
            "schemas": msgspec.json.schema_components(shapes, ref_template=_REFERENCE)[1],
            "securitySchemes": {name: {"type": "http", "scheme": name} for name in ("bearer", "basic")},
        },
    }
    ready: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(document))  # defaults that are tuples become arrays
    return ready


def _shapes(routes: Sequence[Route]) -> list[type]:
    found = [shape for route in routes for shape in (route.gives, route.body) if shape is not None]
    return list(dict.fromkeys([ErrorShape, *found]))


def _operation(route: Route) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": f"{route.method.lower()}{route.path.replace('/', '_').replace('{', '').replace('}', '')}",
        "summary": route.summary,
        "responses": _responses(route),
    }
    headers = [
        {"name": name, "in": "header", "description": meaning, "schema": {"type": "string"}}
        for name, meaning in route.headers.items()
    ]
    parameters = [*_path_parameters(route.path), *_query_parameters(route.query), *headers]
    if parameters:
        operation["parameters"] = parameters
    if route.body is not None:
        operation["requestBody"] = {"required": True, "content": {JSON: {"schema": _reference(route.body)}}}
    if route.takes:
        content = {media: {"schema": dict(schema)} for media, schema in route.takes.items()}
        operation["requestBody"] = {"required": True, "content": content}
    if route.open:
        operation["security"] = []
    if route.asks:
        operation["security"] = [{name: []} for name in route.asks]
    return operation


def _responses(route: Route) -> Mapping[str, Any]:
    shape = _reference(route.gives) if route.gives else {"type": "object" if route.media == JSON else "string"}
    found = {
        str(status): {"description": route.summary, "content": {route.media: {"schema": shape}}}
        for status in (200, *route.also)
    }
    asked = () if route.open else (401, 403, 503)
    for status in sorted({*asked, *route.errors}):
        found[str(status)] = {
            "description": MEANING[status][1],
            "content": {JSON: {"schema": _reference(ErrorShape)}},
            **({"headers": _LATER} if status in {429, 503} else {}),
        }
    return found


def _path_parameters(path: str) -> list[dict[str, Any]]:
    names = [part[1:-1] for part in path.split("/") if part.startswith("{")]
    return [{"name": name, "in": "path", "required": True, "schema": {"type": "string"}} for name in names]


def _query_parameters(query: type | None) -> list[dict[str, Any]]:
    if query is None:
        return []
    properties = msgspec.json.schema_components([query], ref_template="{name}")[1][query.__name__]["properties"]
    return [
        {"name": name, "in": "query", "description": schema.pop("description"), "schema": schema}
        for name, schema in properties.items()
    ]


def _reference(shape: type) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(name=shape.__name__)}
