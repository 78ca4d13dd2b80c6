"""All errors, wherever they are from."""

from __future__ import annotations

import copy
import importlib
import pickle
import pkgutil
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import numpy as np
import pytest

import deepcolor
from deepcolor.errors import DeepcolorError, KnobRangeError, TooManyPixelsError
from deepcolor.photograph import Reading, decode


def kinds(base: type[DeepcolorError]) -> Iterator[type[DeepcolorError]]:
    for one in base.__subclasses__():
        yield one
        yield from kinds(one)


def test_every_error_comes_from_another_process_as_it_was() -> None:
    for module in pkgutil.walk_packages(deepcolor.__path__, "deepcolor."):
        if module.name.endswith("errors"):
            importlib.import_module(module.name)
    found = list(kinds(DeepcolorError))
    assert len(found) > 50
    for kind in found:
        error = kind.__new__(kind, "The sentence, and its cure.")
        for other in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
            assert type(other) is kind
            assert str(other) == "The sentence, and its cure."
            assert (other.code, other.exit_code) == (kind.code, kind.exit_code)


def too_large() -> None:
    decode(np.zeros((9, 9), np.uint8), Reading(max_pixels=80))


def test_a_pool_of_processes_outlives_an_error() -> None:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        with pytest.raises(TooManyPixelsError, match="9 x 9 pixels"):
            pool.submit(too_large).result()
        assert pool.submit(len, "abc").result() == 3


@pytest.mark.parametrize("value", [np.ones(1), np.array(1.0), "1", None, [1]])
def test_what_is_no_number_is_told_as_such(value: object) -> None:
    assert str(KnobRangeError("vividness", value, 0, 2)).startswith(
        "vividness must be a number between 0 and 2, not "
    )
