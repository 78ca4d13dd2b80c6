"""What the page says: one catalogue for the server and the scripts, a file for each language."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from web.cookies import keep

LANGUAGES = ("en", "de")  # the first is spoken to whoever asks for none of them
COOKIE = "deepcolor_language"
SAID_BY_SCRIPTS = ("status", "errors", "problems", "script", "hues")


@dataclass(frozen=True)
class Words:
    """The catalogue of one language: sections, each of them keys and what they say."""

    language: str
    sections: Mapping[str, Mapping[str, Any]]

    @classmethod
    @cache
    def of(cls, language: str) -> Words:
        path = Path(__file__).parent / f"{language}.json"
        return cls(language, json.loads(path.read_text(encoding="utf-8")))

    def say(self, section: str, key: str, **values: object) -> str:
        text: str = self.sections[section][key]
        return text.format(**values)

    def known(self, section: str, key: str, fallback: Any) -> Any:
        """For names that others make up: strategies, knobs, the codes of errors."""
        return self.sections[section].get(key, fallback)

    def listing(self, names: list[str]) -> str:
        """``JPEG, PNG or WebP``."""
        *others, last = names
        return f"{', '.join(others)} {self.say('page', 'or')} {last}"

    def number(self, value: float) -> str:
        text = f"{value:.4g}"
        return text.replace(".", ",") if self.language == "de" else text

    def megabytes(self, count: int) -> str:
        return f"{self.number(count / 2**20)} MB"

    def of_scripts(self) -> dict[str, Mapping[str, Any]]:
        return {name: self.sections[name] for name in SAID_BY_SCRIPTS}


def spoken(request: Request) -> Words:
    """In the language of the address, else of the cookie, else of the browser."""
    wanted = [request.query_params.get("lang", ""), request.cookies.get(COOKIE, "")]
    wanted += _accepted(request.headers.get("accept-language", ""))
    return Words.of(next((each for each in wanted if each in LANGUAGES), LANGUAGES[0]))


def remember(request: Request, response: Response) -> None:
    """Keeps a language that the visitor chose by the address."""
    language = request.query_params.get("lang", "")
    if language in LANGUAGES:
        keep(COOKIE, language, request, response)


def _accepted(header: str) -> list[str]:
    """The primary languages of an Accept-Language header, the dearest first."""
    weighed = []
    for part in header.split(","):
        tag, _, parameter = part.partition(";")
        weight = parameter.strip().removeprefix("q=") or "1"
        primary = tag.strip().lower().partition("-")[0]
        try:
            weighed.append((float(weight), primary))
        except ValueError:
            continue
    weighed.sort(key=lambda each: each[0], reverse=True)
    return [primary for weight, primary in weighed if weight > 0]
