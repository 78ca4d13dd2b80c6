"""One photograph of 12 megapixels, JPEG in and JPEG out, against the reference and the codec."""

from __future__ import annotations

import statistics
import tempfile
from functools import partial
from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks import networks
from benchmarks.measure import ROOT, Section, Target, child_json, seconds, side_by_side
from benchmarks.photographs import QUALITY, jpeg, mosaic
from deepcolor.encoding import Writing

PEER = ROOT / ".venv" / "peer" / "bin" / "python"
WRITING = Writing(quality=QUALITY)


def measure(quick: bool) -> Section:
    section, repeats = Section(), 1 if quick else 7
    gray = mosaic(1 if quick else 12)
    content = jpeg(gray)
    with tempfile.TemporaryDirectory() as place:
        weights = networks.random_weights(Path(place) / "weights.pth")
        richzhang, colornet = networks.richzhang(weights), networks.colornet()
        colored = colornet(gray)
        works = {
            "richzhang": lambda: richzhang.file(content, writing=WRITING),
            "colornet": lambda: colornet.file(content, writing=WRITING),
            "decode": lambda: Image.open(BytesIO(content)).load(),
            "encode": lambda: jpeg(colored),
        }
        spent = side_by_side(works, repeats)
        sepia = jpeg(
            Image.merge("RGB", [gray, gray.point(_dimmer(0.94)), gray.point(_dimmer(0.8))])
        )
        spent["colornet, sepia"] = seconds(partial(colornet.file, sepia, writing=WRITING), repeats)
        spent["colornet, gray in RGB"] = seconds(
            partial(colornet.file, jpeg(gray.convert("RGB")), writing=WRITING), repeats
        )
        stages = [colornet.file(content, writing=WRITING) for _ in range(repeats)]
        if PEER.exists():
            photograph = Path(place) / "photograph.jpg"
            photograph.write_bytes(content)
            arguments = ["benchmarks/reference.py", str(weights), str(photograph), "3"]
            spent["reference"] = statistics.median(child_json(arguments, python=str(PEER)))
    by_stage = {
        name: statistics.median(one.milliseconds[name] for one in stages)
        for name in stages[0].milliseconds
    }
    joined = by_stage["join"] / 1000
    codec = spent["decode"] + spent["encode"]
    section.figures = {
        "megapixels": gray.width * gray.height / 1e6,
        "megabytes_in": len(content) / 1e6,
        "seconds": spent,
        "milliseconds_by_stage": by_stage,
    }
    if "reference" in spent:
        section.targets += [
            Target(f"reference / {name}", spent["reference"] / spent[name], limit, at_least=True)
            for name, limit in (("richzhang", 5), ("colornet", 12))
        ]
    section.targets += [
        Target("colornet / (decode + encode)", spent["colornet"] / codec, 2.5),
        Target("join / encode", joined / spent["encode"], 1),
    ]
    return section


def _dimmer(share: float) -> list[int]:
    return [round(code * share) for code in range(256)]
