"""One shape for every error."""

import json

import pytest

from daemon.api.errors import MEANING, ApiError, bad_parameter


@pytest.mark.parametrize("status", sorted(MEANING))
def test_every_status_says_what_is_wrong_and_what_was_expected(status: int) -> None:
    response = ApiError(status).response()
    assert response.status == status
    assert response.content_type == "application/json"
    assert isinstance(response.body, bytes)
    error = json.loads(response.body)["error"]
    assert set(error) == {"code", "message", "expected"}
    assert all(error.values())


def test_codes_are_unique() -> None:
    assert len({code for code, _, _ in MEANING.values()}) == len(MEANING)


def test_problems_are_listed_when_there_are_any() -> None:
    body = ApiError(422, problems=("a:1: b: expected c",), headers={"X": "y"}).response()
    assert isinstance(body.body, bytes)
    assert json.loads(body.body)["error"]["problems"] == ["a:1: b: expected c"]
    assert body.headers["X"] == "y"


def test_a_bad_parameter_is_named() -> None:
    error = bad_parameter("limit", "a number")
    assert (error.status, error.body.code, error.body.expected) == (400, "bad_parameter", "limit: a number")
    assert str(error) == "limit is not as expected."
