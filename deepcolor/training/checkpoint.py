"""What a run leaves: a checkpoint to go on from, and weights as the package carries them."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save
from torch import Tensor

from deepcolor.disk import write_whole
from deepcolor.errors import UnreadableFileError, reason
from deepcolor.training.errors import DamagedCheckpointError


def write(state: Mapping[str, Any], path: Path) -> None:
    """Replaces a checkpoint at once: a run that is killed meanwhile has the one before."""
    content = io.BytesIO()  # torch.save turns some errors of writing into RuntimeError
    torch.save(dict(state), content)
    write_whole(path, content.getbuffer(), lasting=True)


def read(path: Path) -> dict[str, Any]:
    return torch.load(path, map_location="cpu", weights_only=True)


def resumed(path: Path) -> dict[str, Any]:
    """A run's own checkpoint.

    Raises :class:`deepcolor.training.errors.DamagedCheckpointError`, and
    :class:`deepcolor.errors.UnreadableFileError` where it may not be read.
    """
    try:
        return read(path)
    except OSError as error:
        raise UnreadableFileError(str(path), reason(error)) from error
    except Exception as error:  # torch.load raises whatever it runs into
        raise DamagedCheckpointError(path) from error


def export(state: Mapping[str, Tensor], path: Path) -> None:
    """Writes weights as fp16 safetensors."""
    half = {
        name: value.to("cpu", torch.float16).contiguous()
        for name, value in state.items()
        if not name.endswith("num_batches_tracked")
    }
    write_whole(path, save(half))


def weights_in(path: Path) -> dict[str, Tensor]:
    """float32 of a file of weights, or the averaged ones of a run's checkpoint (``.pt``).

    Raises :class:`deepcolor.errors.UnreadableFileError`.
    """
    try:
        state = read(path)["ema"] if path.suffix == ".pt" else load_file(path)
    except OSError as error:
        raise UnreadableFileError(str(path), error.strerror or "no such file") from error
    except Exception as error:  # their readers raise whatever they run into
        raise UnreadableFileError(str(path), "it holds no weights of colornet") from error
    return {
        name: value.float()
        for name, value in state.items()
        if not name.endswith("num_batches_tracked")
    }
