from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
from starlette.requests import Request
from starlette.testclient import TestClient

import deepcolor
import web
from functions.contract import asking
from web import gallery, words
from web.words import Words

ROOM = Path(web.__file__).parent
ROOT = ROOM.parent


def texts(language: str) -> dict[tuple[str, str], str]:
    """All that a catalogue says, by section and key."""
    sections = Words.of(language).sections
    return {
        (section, key): text if isinstance(text, str) else " ".join(text)
        for section, entries in sections.items()
        for key, text in entries.items()
    }


def test_all_languages_say_the_same() -> None:
    english, german = texts("en"), texts("de")
    assert english.keys() == german.keys()
    for key, text in english.items():
        places = [sorted(re.findall(r"\{\w+\}", each)) for each in (text, german[key])]
        assert places[0] == places[1], key
    assert all(text.strip() for text in (*english.values(), *german.values()))


def test_lists_and_sizes() -> None:
    english, german = Words.of("en"), Words.of("de")
    assert english.listing(["JPEG", "PNG", "WebP"]) == "JPEG, PNG or WebP"
    assert german.listing(["JPEG", "PNG"]) == "JPEG oder PNG"
    assert english.megabytes(100 * 2**20) == "100 MB"
    assert german.megabytes(3 * 2**19) == "1,5 MB"


def test_quotation_marks_are_typographic() -> None:
    for language in words.LANGUAGES:
        assert not [text for text in texts(language).values() if '"' in text or "'" in text]


def test_every_word_is_said_and_every_word_said_is_there() -> None:
    """As far as the names stand in the templates and scripts as they are."""
    known = texts("en")
    source = "".join(path.read_text() for path in (ROOM / "templates").glob("*.html"))
    said = set(re.findall(r"""say\(["'](\w+)["'], ?["']([\w-]+)["']""", source))
    said |= {("page", name) for name in re.findall('heading = "(.*?)"', source)}
    scripts = "".join(path.read_text() for path in (ROOM / "static").glob("*.js"))
    said |= {("script", name) for name in re.findall(r'\bsay\(\s*"(\w+)"', scripts)}
    of_python = {("page", "language"), ("page", "or")}
    levels = {("script", name) for name in ("pale", "soft", "strong")}
    missing = said - known.keys()
    assert missing == set()
    unsaid = {key for key in known if key[0] in {"page", "script"}} - said - of_python - levels
    assert unsaid == set()


def test_every_failure_of_the_pipeline_has_words() -> None:
    table = (ROOT / "docs/architecture.md").read_text().partition("| code | why |")[2]
    rows = table.partition("\n\n")[0]
    codes = set(re.findall(r"`(\w+)`", "".join(row.split("|")[1] for row in rows.splitlines()[2:])))
    assert len(codes) > 8
    assert codes - Words.of("en").sections["errors"].keys() == set()


def test_what_each_network_learned_from_has_words() -> None:
    strategies = deepcolor.strategies().values()
    cards = [one.card for one in strategies if one.__module__.startswith("deepcolor.builtin")]
    assert len(cards) > 4
    told = {card.training_data for card in cards}
    assert told == Words.of("en").sections["training_data"].keys()


def test_failures_that_are_worth_another_try_exist() -> None:
    script = (ROOM / "static/retry.js").read_text()
    codes = set(re.findall(r'^  "(\w+)",$', script, re.MULTILINE))
    assert {"gave_up", "weights_missing"} <= codes < Words.of("en").sections["errors"].keys()


def raised_codes() -> set[str]:
    """The codes with which the rooms make problems, those of what the contract refuses, and those
    of HTTP that Starlette raises.
    """
    makers = {"Problem", "unprocessable", "_expect", "RefusedError"}
    calls = [
        node
        for room in (*ROOM.glob("*.py"), Path(asking.__file__))
        for node in ast.walk(ast.parse(room.read_text()))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in makers
    ]
    texts = [each.value for call in calls for each in call.args if isinstance(each, ast.Constant)]
    assert len(texts) > 20
    named = [str(text).replace("_", "-") for text in texts]
    codes = {name for name in named if re.fullmatch("[a-z]+(-[a-z]+)*", name)}
    return codes | {"not-found", "method-not-allowed"}


@pytest.mark.parametrize("language", words.LANGUAGES)
def test_every_problem_has_words(language: str) -> None:
    codes = raised_codes()
    assert {"invalid", "not-a-form", "malformed-hint", "strategy-not-ready"} <= codes
    of_scripts = {"too-many-requests"}
    assert codes | of_scripts == Words.of(language).sections["problems"].keys()


def test_examples_have_words_and_pictures() -> None:
    for example in gallery.EXAMPLES:
        assert example.name in Words.of("en").sections["gallery"]
        for kind in ("gray", "color"):
            assert (ROOM / "static/gallery" / f"{example.name}.{kind}.webp").exists()


def spoken(accepted: str, query: str = "", cookie: str = "") -> str:
    headers: list[Any] = [(b"accept-language", accepted.encode()), (b"cookie", cookie.encode())]
    scope = {"type": "http", "headers": headers, "query_string": query.encode()}
    return words.spoken(Request(scope)).language


def test_which_language_is_spoken() -> None:
    assert spoken("") == "en"
    assert spoken("de") == "de"
    assert spoken("DE-ch") == "de"
    assert spoken("fr, de;q=0.8, en;q=0.9") == "en"
    assert spoken("en;q=0, de;q=0.1") == "de"
    assert spoken("de;q=nonsense, en;q=0.1") == "en"
    assert spoken("de", query="lang=en") == "en"
    assert spoken("en", cookie="deepcolor_language=de") == "de"
    assert spoken("en", cookie="deepcolor_language=xx") == "en"


def test_the_languages_cookie(visitor: TestClient) -> None:
    cookies = visitor.get("/?lang=de").headers.get_list("set-cookie")
    [cookie] = [each.lower() for each in cookies if each.startswith("deepcolor_language=de")]
    for part in ("httponly", "samesite=lax", "max-age=31536000", "path=/"):
        assert part in cookie
