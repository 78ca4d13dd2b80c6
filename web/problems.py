"""What went wrong, for people and programs alike: problem details as of RFC 9457."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Match, Route

from functions.contract.manifest import ManifestMissingError
from web.log import logger

RETRY_SECONDS = 2


class Problem(Exception):  # noqa: N818, the name that RFC 9457 gives it
    """Ends a request with ``status``, a stable ``code`` and a sentence for whoever asked.

    ``retry_seconds`` says when asking again may help; ``headers`` go with the answer.
    """

    def __init__(
        self, status: HTTPStatus, code: str, detail: str, *, retry_seconds: int | None = None
    ):
        super().__init__(detail)
        self.status = status
        self.code = code
        self.detail = detail
        self.headers = {} if retry_seconds is None else {"Retry-After": str(retry_seconds)}


Answer = Callable[[Request, Any], Response]  # to a request that ended in a problem


class ProblemResponse(JSONResponse):
    media_type = "application/problem+json"

    def __init__(self, problem: Problem):
        content = {
            "type": f"urn:deepcolor:problem:{problem.code}",
            "title": problem.status.phrase,
            "status": problem.status.value,
            "detail": problem.detail,
        }
        super().__init__(content, problem.status, problem.headers)


def unprocessable(code: str, sentence: str) -> Problem:
    """For a request that is understood, and asks for what cannot be."""
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, code, sentence)


def invalid(sentence: str) -> Problem:
    """For what no program of ours would send."""
    return unprocessable("invalid", sentence)


def no_photograph() -> Problem:
    """Also for somebody else's: whether it exists is nobody else's business."""
    return Problem(HTTPStatus.NOT_FOUND, "no-photograph", "You have no such photograph here.")


def handlers(answer: Answer) -> Mapping[Any, Any]:
    """Starlette's handlers of exceptions: each is answered as the problem that it means."""

    def answering(problem_of: Callable[[Request, Any], Problem]) -> Answer:
        return lambda request, error: answer(request, problem_of(request, error))

    return {kind: answering(problem_of) for kind, problem_of in _MEANINGS.items()}


def _itself(request: Request, error: Problem) -> Problem:
    return error


def _http(request: Request, error: HTTPException) -> Problem:
    status = HTTPStatus(error.status_code)
    sentences = {
        HTTPStatus.NOT_FOUND: f"There is nothing at {request.url.path}.",
        HTTPStatus.METHOD_NOT_ALLOWED: f"{request.url.path} does not take {request.method}.",
    }
    code = status.phrase.lower().replace(" ", "-")
    problem = Problem(status, code, sentences.get(status, f"{error.detail}."))
    problem.headers.update(error.headers or {})
    if status == HTTPStatus.METHOD_NOT_ALLOWED and (methods := _methods(request)):
        problem.headers["Allow"] = ", ".join(sorted(methods))
    return problem


def _methods(request: Request) -> set[str]:
    """All that are taken at the address, each of whose routes knows of its own alone.

    None below ``/static``, where there is but one, which has told them.
    """
    routes = [route for route in request.app.routes if isinstance(route, Route)]
    here = [route for route in routes if route.matches(request.scope)[0] is not Match.NONE]
    return {method for route in here for method in route.methods or ()}


def _manifest_missing(request: Request, error: Exception) -> Problem:
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "no-strategies-yet",
        "The service is still starting. Try again in a moment.",
        retry_seconds=RETRY_SECONDS,
    )


def _storage(request: Request, error: Exception) -> Problem:
    logger.error("%s %s: the storage said: %s", request.method, request.url.path, error)
    return Problem(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "storage-unavailable",
        "The photographs cannot be reached just now. Try again in a moment.",
        retry_seconds=RETRY_SECONDS,
    )


def _crash(request: Request, error: Exception) -> Problem:
    return Problem(
        HTTPStatus.INTERNAL_SERVER_ERROR,
        "internal-error",
        "Something went wrong on our side. Try again in a moment.",
    )


_MEANINGS: Mapping[type[Exception], Callable[[Request, Any], Problem]] = {
    Problem: _itself,
    HTTPException: _http,
    ManifestMissingError: _manifest_missing,
    BotoCoreError: _storage,
    ClientError: _storage,
    Exception: _crash,
}
