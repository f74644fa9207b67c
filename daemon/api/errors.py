"""Every error of the endpoint in one shape: `{"error": {"code", "message", "expected"}}`.

`message` says what is wrong, `expected` what would be right; neither repeats what the client sent beyond the name of a
parameter, and neither shows anything of our insides.
"""

from collections.abc import Mapping

from aiohttp import web
from msgspec import Struct

from daemon.api.wire import encode


class ErrorBody(Struct, frozen=True, omit_defaults=True):
    """What is wrong and what was expected; `problems` lists every one (`path:line: key: expected …`)."""

    code: str
    message: str
    expected: str
    problems: tuple[str, ...] = ()


class ErrorShape(Struct, frozen=True):
    """Every answer that is not 2xx (but readiness and liveness)."""

    error: ErrorBody


MEANING: Mapping[int, tuple[str, str, str]] = {
    400: ("bad_request", "The request cannot be understood.", "a well-formed HTTP request"),
    401: (
        "unauthorized",
        "This needs the API token.",
        "a header Authorization: Bearer TOKEN with the configured token",
    ),
    403: ("forbidden", "The Host header does not name this endpoint.", "the address the endpoint listens on, as Host"),
    404: ("not_found", "There is nothing at this address.", "a path of /api/v1/openapi.json"),
    405: ("method_not_allowed", "This address does not have that method.", "a method of the Allow header"),
    408: ("timeout", "The request body took too long.", "the whole body within the time limit"),
    413: ("too_large", "The request body is too large.", "a smaller body"),
    415: ("unsupported_media_type", "The body is not declared as JSON.", "a header Content-Type: application/json"),
    422: ("refused", "The configuration was refused; the old one stays.", "a configuration without problems"),
    429: ("too_many_requests", "Too many questions for the model.", "fewer; see the Retry-After header"),
    500: ("internal", "The request failed; the daemon's log says why.", "nothing of you; please report it"),
    503: ("unavailable", "A part that this needs cannot answer now.", "another try later; /api/v1/status says why"),
}
"""Status → code, message and what was expected, where the place that refused says nothing more exact."""


class ApiError(Exception):
    """An answer that is an error; raised anywhere below a route, rendered by the outermost middleware."""

    def __init__(
        self,
        status: int,
        *,
        code: str = "",
        message: str = "",
        expected: str = "",
        problems: tuple[str, ...] = (),
        headers: Mapping[str, str] | None = None,
    ) -> None:
        usual = MEANING[status]
        super().__init__(message or usual[1])
        self.status = status
        self.body = ErrorBody(code or usual[0], message or usual[1], expected or usual[2], problems)
        self.headers = dict(headers or {})

    def response(self) -> web.Response:
        """The answer on the wire."""
        return web.Response(
            body=encode(ErrorShape(self.body)),
            status=self.status,
            content_type="application/json",
            headers=self.headers,
        )


def bad_parameter(name: str, expected: str) -> ApiError:
    """A parameter or a field of a body that is missing, unknown or not as it should be."""
    return ApiError(400, code="bad_parameter", message=f"{name} is not as expected.", expected=f"{name}: {expected}")
