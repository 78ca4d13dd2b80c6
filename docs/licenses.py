"""Writes docs/licenses.md: under which terms everything comes that is shipped with deepcolor.

``make audit`` runs it; a test compares the page with what it would write, and holds the terms
against a list of those that are allowed.
"""

from __future__ import annotations

import re
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs/licenses.md"

SHIPPED = {
    "image with CUDA": ["infra/worker/requirements-cuda.txt"],
    "image without": [
        "infra/worker/requirements-cpu.txt",
        "infra/worker/requirements-torch-cpu.txt",
    ],
    "functions": [f"functions/{name}/requirements.txt" for name in ("bury", "dispatch", "sweep")],
    "page": ["web/requirements.txt"],
}
"""What is installed where, by its locks."""

SPDX = {
    "Apache License 2.0": "Apache-2.0",
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD-3-Clause",
    "MIT License": "MIT",
    "MIT No Attribution License (MIT-0)": "MIT-0",
}
"""For classifiers and words that packages state in place of an SPDX expression."""

PROPRIETARY = "LicenseRef-NVIDIA-Proprietary"
STATED = {
    # Its own code is BSD-3-Clause; the wheel's LICENSES_bundled.txt says what comes with it.
    "pillow-heif": "GPL-2.0-only AND LGPL-3.0-only AND BSD-3-Clause",
    # Only on machines with CUDA; as the metadata of these versions' wheels say.
    "cuda-bindings": "Apache-2.0",
    "cuda-pathfinder": "Apache-2.0",
    "cuda-toolkit": PROPRIETARY,  # an empty package that names the others; states no license
    "nvidia-nvtx": "Apache-2.0",
    "triton": "MIT",
}
"""What metadata here can't tell."""

INTRODUCTION = """\
# Licenses of what is shipped

<!-- Made by `make audit` from the locks and the packages' metadata. -->

deepcolor itself is Apache-2.0. [NOTICE](../NOTICE) names the work that its strategies build on;
`deepcolor strategies` shows the terms of each one's weights. All but colornet's are fetched; the
worker's image carries richzhang's by default. The scripts and styles of the page are deepcolor's
own; its example photographs are [others'](pictures/README.md). The worker's image, the functions
and the page also contain these packages:

"""

REMARKS = """
**HEIC.** The wheels of pillow-heif, which reads HEIC, contain libheif and libde265 (LGPL-3.0) and
also x265 (GPL-2.0), an encoder that deepcolor never calls. Running them obliges nobody to anything.
But whoever hands on an image that contains them hands on GPL software, and must offer its source.
Without the extra `heic` there is no x265, and HEIC is not read.

**Runtime libraries.** NumPy's wheels contain libgfortran (GPL-3.0 with GCC's exception) and
libquadmath (LGPL-2.1 or later); PyTorch's contain libgomp (GPL-3.0 with GCC's exception). They put
deepcolor's code under no other terms. Whoever hands on an image must meet theirs.

**NVIDIA's libraries** come under NVIDIA's terms, and only in the image with CUDA.

**Debian's packages** of the base image, programs under the GPL among them, are not listed; their
terms are in its `/usr/share/doc`, and whoever hands on an image must meet them.
"""


def shipped() -> dict[str, list[str]]:
    """Where each package goes, by its name."""
    places: dict[str, list[str]] = {}
    for place, locks in SHIPPED.items():
        texts = [(ROOT / lock).read_text() for lock in locks]
        for name in sorted(set(re.findall(r"^([a-z0-9-]+)==", "\n".join(texts), re.MULTILINE))):
            places.setdefault(name, []).append(place)
    return dict(sorted(places.items()))


def license_of(name: str) -> str:
    """An SPDX expression, or "unknown"."""
    if name in STATED:
        return STATED[name]
    if name.startswith("nvidia-"):
        return PROPRIETARY
    try:
        return _stated_by(distribution(name))
    except PackageNotFoundError:
        return "unknown"


def _stated_by(package: Distribution) -> str:
    told = package.metadata
    if expression := told.get("License-Expression"):
        return expression
    classifiers = [line.split(" :: ") for line in told.get_all("Classifier") or []]
    classified = {SPDX.get(c[-1], c[-1]) for c in classifiers if c[0] == "License"}
    if classified:
        return " OR ".join(sorted(classified))
    word = told.get("License") or "unknown"
    return SPDX.get(word, word)


def page() -> str:
    rows = [
        f"| {name} | {license_of(name)} | {', '.join(places)} |"
        for name, places in shipped().items()
    ]
    table = ["| package | license | in |", "|---|---|---|", *rows]
    return INTRODUCTION + "\n".join(table) + "\n" + REMARKS


if __name__ == "__main__":
    PAGE.write_text(page())
