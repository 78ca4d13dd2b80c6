"""Colors the page's examples: ``web/static/gallery/*.gray.webp`` become ``*.color.webp``."""

from __future__ import annotations

from pathlib import Path

import deepcolor

GALLERY = Path(__file__).parents[1] / "web" / "static" / "gallery"
QUALITY = 72


def main() -> None:
    colorizer = deepcolor.load()
    for gray in sorted(GALLERY.glob("*.gray.webp")):
        color = gray.with_name(gray.name.replace(".gray.", ".color."))
        colorizer(gray).save(color, quality=QUALITY, method=6)


if __name__ == "__main__":
    main()
