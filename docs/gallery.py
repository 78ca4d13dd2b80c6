"""Colors the page's examples: ``web/static/gallery/*.gray.webp`` become ``*.color.webp``."""

from __future__ import annotations

from pathlib import Path

import deepcolor
from deepcolor import Writing

GALLERY = Path(__file__).parents[1] / "web" / "static" / "gallery"
QUALITY = 72


def main() -> None:
    colorizer = deepcolor.load()
    writing = Writing(quality=QUALITY)
    for gray in sorted(GALLERY.glob("*.gray.webp")):
        color = gray.with_name(gray.name.replace(".gray.", ".color."))
        color.write_bytes(colorizer.file(gray, writing=writing).content)


if __name__ == "__main__":
    main()
