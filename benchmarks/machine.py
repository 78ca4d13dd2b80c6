"""What machine this is, and what it can do at most."""

from __future__ import annotations

import os
import platform
from pathlib import Path
from typing import Any

import numpy as np
import PIL
import torch

from benchmarks.measure import seconds

QUIET_LOAD = 0.5
MEGABYTE = 1_000_000


def describe() -> dict[str, Any]:
    return {
        "processor": _processor(),
        "cores": os.cpu_count(),
        "vector_instructions": torch.backends.cpu.get_cpu_capability(),
        "gpu": torch.cuda.get_device_name() if torch.cuda.is_available() else None,
        "system": platform.system(),
        "python": platform.python_version(),
        "torch": torch.__version__,
        "torch_threads": torch.get_num_threads(),
        "numpy": np.__version__,
        "pillow": PIL.__version__,
    }


def load() -> float:
    """Processes that wanted a core in the last minute, on average."""
    return round(os.getloadavg()[0], 2)


def limits() -> dict[str, float]:
    """What the cores can do together, measured."""
    source = np.ones(256 * MEGABYTE, np.uint8)
    target = np.empty_like(source)
    left, right = torch.rand(2, 2048, 2048)
    copy = seconds(lambda: np.copyto(target, source), 5)
    multiply = seconds(lambda: left @ right, 5)
    return {
        "copy_gigabytes_per_second": 2 * source.size / copy / 1e9,  # read and written
        "matmul_gigaflops": 2 * 2048**3 / multiply / 1e9,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.split(":")[1].strip() for line in lines if "model name" in line), "unknown")
