from __future__ import annotations

import json
from typing import Any

import pytest

from functions.contract.manifest import Manifest
from web.problems import Problem
from web.wishes import ACCEPTED, MAX_SIZE, SUFFIXES, Wish, accept, kinds

LIMIT = 1000
MANIFEST = Manifest.parse(
    json.dumps(
        {
            "default": "good",
            "strategies": [{"name": "good", "ready": True, "knobs": [], "hints": False}],
        }
    )
)
GOOD = {"filename": "a.jpg", "content_type": "image/jpeg", "size": 10, "strategy": "good"}


def parse(**changes: Any) -> Wish:
    return Wish.parse(GOOD | changes, MANIFEST, LIMIT)


@pytest.mark.parametrize("content_type", ACCEPTED)
def test_accepted_kinds(content_type: str) -> None:
    assert parse(content_type=content_type).content_type == content_type


NAMES = [
    *["Großmutter 1912.jpg", "おばあさん.png", "👩\u200d👧.jpg"],
    *["a" * 255, ".jpg", "a?b#c%d.jpg", "$5 ${filename}.jpg"],
]
REFUSED_NAMES = [
    *[".", "..", "a/b.jpg", "a\\b.jpg", "a\nb.jpg", "a\x00"],
    *["\ud800", "ü" * 128, "\ufffe.jpg", "a\uffff.jpg"],
]


@pytest.mark.parametrize("name", NAMES)
def test_any_script_makes_a_name(name: str) -> None:
    assert parse(filename=name).filename == name


@pytest.mark.parametrize("name", REFUSED_NAMES)
def test_names_that_keys_cannot_hold(name: object) -> None:
    with pytest.raises(Problem) as caught:
        parse(filename=name)
    assert (caught.value.status, caught.value.code) == (422, "unusable-filename")


@pytest.mark.parametrize("name", [None, 7, ""])
def test_names_that_are_none(name: object) -> None:
    with pytest.raises(Problem) as caught:
        parse(filename=name)
    assert (caught.value.status, caught.value.code) == (422, "invalid")


@pytest.mark.parametrize(
    "size", [None, "10", 1.5, True, -1, 0, MAX_SIZE + 1, 10**400, float("inf")]
)
def test_sizes_that_are_none(size: object) -> None:
    with pytest.raises(Problem) as caught:
        parse(size=size)
    assert caught.value.status == 422


def test_the_limit_is_the_limit() -> None:
    parse(size=LIMIT)
    with pytest.raises(Problem, match=r"a\.jpg is larger than .* MB\.") as caught:
        parse(size=LIMIT + 1)
    assert (caught.value.status, caught.value.code) == (413, "too-large")


@pytest.mark.parametrize(
    "content_type", ["text/html", "image/svg+xml", "IMAGE/JPEG", ["image/jpeg"]]
)
def test_other_kinds_are_named(content_type: object) -> None:
    for name, sentence in (
        ("a.jpg", r"^The content_type of a\.jpg may be left out, or be one of: image/jpeg, "),
        ("a.bin", r"^a\.bin is not of a kind that can be colored: JPEG, "),
    ):
        with pytest.raises(Problem, match=sentence) as caught:
            parse(filename=name, content_type=content_type)
        assert (caught.value.status, caught.value.code) == (415, "unsupported-type")


def test_a_whole_number_may_be_written_with_a_fraction_of_nothing() -> None:
    parse(size=float(LIMIT))
    with pytest.raises(Problem) as caught:
        parse(size=float(LIMIT + 1))
    assert caught.value.code == "too-large"


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_where_the_system_knows_no_type_the_name_tells(suffix: str) -> None:
    for name in (f"a{suffix}", f"a.jpg{suffix.upper()}"):
        assert parse(filename=name, content_type="").content_type == SUFFIXES[suffix]
    assert SUFFIXES[suffix] in ACCEPTED


def test_where_no_type_is_said_the_name_tells() -> None:
    unsaid = {name: value for name, value in GOOD.items() if name != "content_type"}
    assert Wish.parse(unsaid, MANIFEST, LIMIT).content_type == "image/jpeg"
    with pytest.raises(Problem, match=r"a\.pdf is not of a kind"):
        Wish.parse(unsaid | {"filename": "a.pdf"}, MANIFEST, LIMIT)


@pytest.mark.parametrize("name", ["a.pdf", "a", "jpg", ".jpg", "a.jpg.svg"])
def test_names_that_tell_no_kind(name: str) -> None:
    with pytest.raises(Problem) as caught:
        parse(filename=name, content_type="")
    assert (caught.value.status, caught.value.code) == (415, "unsupported-type")


@pytest.mark.parametrize(
    ("more", "name"),
    [({"knob": {}}, "'knob'"), ({"hint": [1]}, "'hint'"), ({"\ud800\n": 1}, r"'\ud800\n'")],
)
def test_what_means_nothing_is_named(more: dict[str, Any], name: str) -> None:
    with pytest.raises(Problem) as caught:
        parse(**more)
    assert (caught.value.status, caught.value.code) == (422, "invalid")
    assert caught.value.detail == (
        f"The request has a member named {name}, which means nothing here."
        " It may have: filename, content_type, size, strategy, knobs, hints."
    )


def test_how_to_color_comes_with_it() -> None:
    assert parse().coloring.strategy == "good"
    with pytest.raises(Problem, match="there are: good"):
        parse(strategy="nobody")


def test_unseen() -> None:
    wish = Wish.unseen({"strategy": "good"}, MANIFEST, "Foto")
    assert (wish.filename, wish.coloring.strategy) == ("Foto", "good")


def test_a_size_that_no_disk_holds_is_too_large() -> None:
    with pytest.raises(Problem) as caught:
        parse(size=MAX_SIZE)
    assert caught.value.code == "too-large"


def test_what_an_input_takes() -> None:
    assert kinds() == ["JPEG", "PNG", "WebP", "TIFF", "BMP", "GIF", "AVIF", "HEIC"]
    assert accept().startswith("image/jpeg,image/png,")
    assert accept().endswith(",.heic,.heif")
