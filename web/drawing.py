"""Draws the templates, in the visitor's language; also what went wrong, where people asked."""

from __future__ import annotations

import functools
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response

from web import wishes, words
from web.problems import Problem, ProblemResponse
from web.words import Words

if TYPE_CHECKING:
    from starlette.templating import Jinja2Templates


@functools.cache
def templates() -> Jinja2Templates:
    """Imported when the first page is shown: a cold start for the API needs none."""
    from starlette.templating import Jinja2Templates

    found = Jinja2Templates(Path(__file__).parent / "templates")
    found.env.trim_blocks = found.env.lstrip_blocks = True
    return found


@dataclass(frozen=True)
class Drawing:
    assets_url: str
    max_upload_bytes: int

    def draw(
        self,
        request: Request,
        template: str,
        context: dict[str, Any],
        status: HTTPStatus = HTTPStatus.OK,
    ) -> Response:
        spoken = words.spoken(request)
        common = {
            "assets": self.assets_url,
            "words": spoken,
            "say": spoken.say,
            "languages": [Words.of(each) for each in words.LANGUAGES],
            "in_language": _in_language,
            "accept": wishes.accept(),
            "kinds": spoken.listing(wishes.kinds()),
            "limit": spoken.megabytes(self.max_upload_bytes),
            "max_bytes": self.max_upload_bytes,
        }
        response = templates().TemplateResponse(request, template, common | context, status)
        response.headers["Vary"] = "Accept, Accept-Language, Cookie"
        words.remember(request, response)
        return response

    def answer(self, request: Request, problem: Problem) -> Response:
        """The problem as a page for whoever takes HTML, else and below ``/api/`` its details."""
        is_page = not request.url.path.startswith("/api/")
        if not is_page or "text/html" not in request.headers.get("accept", ""):
            return ProblemResponse(problem)
        context = {
            "is_missing": problem.status is HTTPStatus.NOT_FOUND,
            "sentence": words.spoken(request).known("problems", problem.code, problem.detail),
        }
        response = self.draw(request, "refused.html", context, problem.status)
        response.headers.update(problem.headers)
        return response


def _in_language(request: Request, language: str) -> str:
    """The address of the same page; of the photograph's where a form was sent: that only posts."""
    if request.method == "GET":
        return f"?{request.url.include_query_params(lang=language).query}"
    image_id = request.path_params.get("id", "")
    return f"/photographs/{quote(image_id)}?lang={language}" if image_id else f"/?lang={language}"
