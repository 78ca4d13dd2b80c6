"""Compiles deepcolor/draw/draw.c where there is a C compiler; without, deepcolor draws in NumPy."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FLAGS = (
    *("-O3", "-shared", "-fPIC"),
    # What the loops need to be vectorized: nobody looks at errno, traps or the sign of zero.
    *("-fno-math-errno", "-fno-trapping-math", "-fno-signed-zeros", "-ffinite-math-only"),
)


class CustomBuildHook(BuildHookInterface[Any]):
    """Adds ``draw.so`` to a wheel, which then is one for this kind of machine only."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        room = Path(self.root) / "deepcolor" / "draw"
        library = room / "draw.so"
        library.unlink(missing_ok=True)
        compiler = shlex.split(os.environ.get("CC", "cc"))
        try:
            command = [*compiler, *FLAGS, "-o", str(library), str(room / "draw.c")]
            subprocess.run(command, check=True)
        except (OSError, subprocess.CalledProcessError) as error:
            print(f"deepcolor will draw in NumPy, which takes longer: {error}", file=sys.stderr)
            return
        platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
        build_data["artifacts"].append("deepcolor/draw/draw.so")
        build_data["pure_python"] = False
        build_data["tag"] = f"py3-none-{platform}"
