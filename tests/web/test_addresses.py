from __future__ import annotations

import pytest

from web.addresses import colored_name


@pytest.mark.parametrize(
    ("filename", "content_type", "colored"),
    [
        ("grandma.jpg", "image/jpeg", "grandma-color.jpg"),
        ("a.b.JPEG", "image/jpeg", "a.b-color.JPEG"),
        ("phone.heic", "image/jpeg", "phone-color.jpg"),
        ("scan.tif", "image/tiff", "scan-color.tif"),
        ("photograph", "image/png", "photograph-color.png"),
        ("grandma.jpg", None, "grandma-color.jpg"),
        ("grandma.jpg", "image/x-unheard-of", "grandma-color.jpg"),
    ],
)
def test_names_of_downloads(filename: str, content_type: str | None, colored: str) -> None:
    assert colored_name(filename, content_type) == colored
