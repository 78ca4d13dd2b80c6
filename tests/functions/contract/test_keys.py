from __future__ import annotations

import pytest

from functions.contract import keys


def test_records_lie_beside_each_other_under_the_uploads_name() -> None:
    assert keys.record_key("colornet/album/photo.jpg") == "records/colornet/album/photo.jpg.json"
    assert keys.record_key("ä 1+1.jpg") == "records/ä 1+1.jpg.json"


def test_a_record_keys_length_is_what_s3_allows() -> None:
    longest = "a" * (1024 - len("records/.json"))
    assert keys.record_key(longest) == f"records/{longest}.json"
    for too_long in (longest + "a", "ü" * 512, "x" * 1024):
        assert len(keys.record_key(too_long).encode()) <= 1024
    assert keys.record_key("x" * 1023) != keys.record_key("x" * 1024)


@pytest.mark.parametrize(
    ("key", "reserved"),
    [
        ("strategies.json", True),
        ("workers.json", True),
        ("records/a.jpg.json", True),
        ("visitors/x", True),
        ("records", False),
        ("album/strategies.json", False),
        ("album/records/a.jpg", False),
        ("recordsof1912/a.jpg", False),
    ],
)
def test_keys_that_deepcolor_keeps_for_itself(key: str, reserved: bool) -> None:
    assert keys.is_reserved(key) is reserved


@pytest.mark.parametrize(
    ("key", "strategy"),
    [
        ("colornet/album/photo.jpg", "colornet"),
        ("colornet/photo.jpg", "colornet"),
        ("colornet", None),
        ("album/colornet/photo.jpg", None),
        ("Colornet/photo.jpg", None),
        ("/colornet/photo.jpg", None),
        ("colornet2/photo.jpg", None),
        ("photo.jpg", None),
    ],
)
def test_the_first_segment_may_name_a_strategy(key: str, strategy: str | None) -> None:
    assert keys.strategy_in(key, {"colornet", "richzhang"}) == strategy


def test_folder_markers() -> None:
    assert keys.is_folder_marker("album/")
    assert not keys.is_folder_marker("album/photo.jpg")


def test_where_the_page_uploads() -> None:
    assert keys.web_key("me", "7", "grandma.jpg") == "web/me/7/grandma.jpg"


def test_the_note_on_an_upload() -> None:
    visitor, image = "06peejmfvxp054dwtwjyfj2t1y", "zybqtp0btjqpc3b8av5yjqa9em"
    key = keys.web_key(visitor, image, "grandma.jpg")
    assert keys.note_of(key) == keys.note_key(visitor, image) == f"visitors/{visitor}/{image}.json"
    for other in ("web/me/7/grandma.jpg", f"{key}/more", f"a/{key}", f"web/{visitor}/{image}/"):
        assert keys.note_of(other) is None
