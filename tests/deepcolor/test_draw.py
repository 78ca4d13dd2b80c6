"""The quick way against the exact one, computed in double precision."""

from __future__ import annotations

import gc
import sys
import time
import tomllib
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from packaging.requirements import Requirement
from PIL import Image

from deepcolor import lab
from deepcolor.draw import Enlarged, canvas, compiled, image_of, memory, passes, tables
from deepcolor.draw.canvas import KEPT_BYTES, spare
from deepcolor.draw.enlarged import Axis

ROOT = Path(__file__).parents[2]
COUNT = 100_000
ONE_ROW = Axis(1, np.zeros(1, np.int32), np.ones((1, 1), np.float32))


def exactly(l: torch.Tensor, ab: NDArray[np.float32]) -> NDArray[np.int64]:
    """sRGB codes (n, 3) of L* (n,) and a*b* (2, n), the gamut's edge found by 30 bisections."""
    l = l.double()[None, None]
    wide = torch.from_numpy(ab).double()[:, None]
    fitted = lab.fit_gamut(l, wide, steps=30)
    return lab.lab_to_rgb(l, fitted)[:, 0].T.numpy().astype(int)


Quickly = Callable[[NDArray[np.uint8], NDArray[np.float32]], NDArray[np.uint8]]


@pytest.fixture(params=[compiled.Strip, passes.Strip], ids=["compiled", "passes"])
def quickly(request: pytest.FixtureRequest) -> Quickly:
    """Codes (n, 3) of lightness codes and a*b* (2, n), drawn in either way."""
    if request.param is compiled.Strip and compiled.library is None:
        pytest.skip("no C compiler was there when deepcolor was installed")

    def drawn(codes: NDArray[np.uint8], ab: NDArray[np.float32]) -> NDArray[np.uint8]:
        chroma = (ab / [[500], [-200]]).astype(np.float32)
        out = np.zeros((1, len(codes), 4), np.uint8)
        request.param(len(codes)).draw(codes, Enlarged(chroma[:, None], ONE_ROW), 0, out)
        return out[0, :, :3]

    return drawn


def random_colors(spread: float) -> NDArray[np.float32]:
    drawn = np.random.default_rng(7).normal(0, spread, (2, COUNT))
    return drawn.clip(-128, 128).astype(np.float32)


@pytest.mark.parametrize("spread", [0, 8, 16])
def test_gray_photographs_within_one_code(quickly: Quickly, spread: float) -> None:
    codes = np.random.default_rng(1).integers(0, 256, COUNT).astype(np.uint8)
    l = lab.lightness(lab.decode_gamma(torch.from_numpy(codes / 255)))
    ab = random_colors(spread)
    assert np.abs(quickly(codes, ab) - exactly(l, ab)).max() <= 1


@pytest.mark.parametrize("spread", [0, 8, 16])
def test_colored_photographs_within_one_code(quickly: Quickly, spread: float) -> None:
    codes = np.random.default_rng(1).integers(0, 256, (COUNT, 3)).astype(np.uint8)
    rgb = torch.from_numpy(codes.T.copy())[:, None]
    l = lab.rgb_to_lab(rgb)[0, 0]
    ab = random_colors(spread)
    assert np.abs(quickly(codes, ab) - exactly(l, ab)).max() <= 1


def test_the_loudest_colors_keep_their_lightness(quickly: Quickly) -> None:
    codes = np.random.default_rng(1).integers(0, 256, COUNT).astype(np.uint8)
    drawn = quickly(codes, random_colors(80))
    l = lab.rgb_to_lab(torch.from_numpy(drawn.T.copy())[:, None])[0, 0].numpy()
    grays = torch.arange(256, dtype=torch.uint8).expand(3, 1, 256)
    of_code = lab.rgb_to_lab(grays)[0, 0].numpy()
    low, high = of_code[codes.clip(1) - 1], of_code[codes.clip(None, 254) + 1]
    assert (l >= low - 0.2).all()
    assert (l <= high + 0.2).all()


def test_what_is_no_number_draws_something(quickly: Quickly) -> None:
    """A network gone wrong must not end the process."""
    codes = np.arange(256, dtype=np.uint8)
    with np.errstate(all="ignore"):
        for broken in (np.nan, np.inf, -np.inf):
            assert quickly(codes, np.full((2, 256), broken, np.float32)).shape == (256, 3)


def test_a_strip_holds_the_tables_that_it_points_to(monkeypatch: pytest.MonkeyPatch) -> None:
    """Threads that use them first, at once, make them twice, and the cache drops the one."""
    made = []

    def watched(make: Callable[[], NDArray[Any]]) -> Callable[[], NDArray[Any]]:
        def anew() -> NDArray[Any]:
            table = make()
            made.append(weakref.ref(table))
            return table

        return anew

    for name in ("mixing", "gamma"):
        monkeypatch.setattr(tables, name, watched(getattr(tables, name).__wrapped__))
    strip = compiled.Strip(1)
    assert len(made) == 2
    assert all(table() is not None for table in made)
    assert strip.tables.gamma == strip.gamma.ctypes.data


def test_what_was_compiled_for_another_machine_is_as_if_it_were_not(tmp_path: Path) -> None:
    foreign = tmp_path / "draw.so"
    assert compiled.loaded(foreign) is None
    foreign.write_bytes(b"\xcf\xfa\xed\xfe" + bytes(4096))  # as macOS's begin
    assert compiled.loaded(foreign) is None


@pytest.fixture
def nothing_spare() -> None:
    """Whatever other tests have left would be as good to take."""
    gc.collect()
    spare.blocks.clear()


def test_a_canvas_is_the_images_own_memory() -> None:
    """Of one larger than the pieces that Pillow cuts large images into."""
    own = canvas((5001, 1000))
    image = image_of(own)
    own[...] = (1, 2, 3, 0)
    own[999, 5000, 1] = 200
    assert image.mode == "RGB"
    assert image.getpixel((5000, 999)) == (1, 200, 3)
    image.putpixel((4, 0), (7, 8, 9))
    assert own[0, 4, :3].tolist() == [7, 8, 9]
    assert (np.asarray(image) == own[..., :3]).all()


@pytest.mark.parametrize("problem", [AttributeError, TypeError])
def test_where_pillow_maps_no_memory_it_is_copied(
    monkeypatch: pytest.MonkeyPatch, problem: type[Exception]
) -> None:
    def refuse(*_: object) -> NoReturn:
        raise problem

    own = canvas((301, 200))
    own[...] = np.arange(301 * 200 * 4, dtype=np.uint8).reshape(200, 301, 4)
    mapped = image_of(own).tobytes()
    monkeypatch.setattr(Image.core, "map_buffer", refuse)
    copied = image_of(own)
    assert (copied.mode, copied.size, copied.tobytes()) == ("RGB", (301, 200), mapped)
    own[...] = 0
    assert copied.tobytes() == mapped


@pytest.mark.parametrize("width", [1, 2, 3, 4, 5, 4001])
def test_the_memory_of_a_gray_image_is_its_codes(width: int) -> None:
    image = Image.effect_noise((width, 300), 40)
    own = memory(image)
    assert own is not None
    assert (own == np.asarray(image)).all()


def test_no_pillow_is_installed_that_crashes_there() -> None:
    """Those before 13 export no memory of a mapped image: the process dies."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    [pillow] = (one for one in map(Requirement, project["dependencies"]) if one.name == "pillow")
    assert "13.0.0" in pillow.specifier
    assert "12.99" not in pillow.specifier


def test_an_image_in_pieces_has_no_memory_of_its_own() -> None:
    assert memory(Image.new("L", (8000, 4000))) is None


@pytest.mark.usefixtures("nothing_spare")
def test_a_canvas_takes_the_memory_of_one_that_is_gone() -> None:
    own = canvas((1000, 1000))
    before = own.ctypes.data
    del own
    assert canvas((800, 900)).ctypes.data == before


@pytest.mark.usefixtures("nothing_spare")
def test_a_canvas_takes_what_was_left_last() -> None:
    canvases = [canvas((1000, 1000)) for _ in range(3)]
    before = canvases[1].ctypes.data
    canvases.reverse()
    del canvases[0], canvases[1], canvases[0]
    assert canvas((1000, 1000)).ctypes.data == before


@pytest.mark.usefixtures("nothing_spare")
def test_an_images_memory_is_its_own_for_as_long_as_anything_refers_to_it() -> None:
    def drawn() -> Image.Image:
        own = canvas((700, 700))
        own[...] = 9
        return image_of(own)

    image = drawn()
    exported = image.__arrow_c_array__()
    for _ in range(3):
        canvas((700, 700))[...] = 1
    assert image.getextrema() == ((9, 9),) * 3
    own = memory(image)
    assert own is not None
    address = own.ctypes.data
    del image, own
    assert address not in spare.blocks
    del exported
    assert address in spare.blocks


def test_canvases_of_several_threads_are_apart() -> None:
    def is_apart(i: int) -> bool:
        own = canvas((300 + i % 7, 200))
        own[...] = i % 256
        time.sleep(0)
        return image_of(own).getextrema() == ((i % 256,) * 2,) * 3

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(8) as pool:
            assert all(pool.map(is_apart, range(1000)))
    finally:
        sys.setswitchinterval(before)


@pytest.mark.usefixtures("nothing_spare")
def test_little_memory_is_kept_for_canvases_to_come() -> None:
    canvases = [canvas((2000, 1000)) for _ in range(40)]
    canvases.clear()
    assert KEPT_BYTES / 2 < sum(map(len, spare.blocks.values())) <= KEPT_BYTES


@pytest.mark.usefixtures("nothing_spare")
def test_the_memory_of_a_large_canvas_is_given_back() -> None:
    before = dict(spare.blocks)
    canvas((KEPT_BYTES // 4000 + 1, 1000))
    assert spare.blocks.keys() == before.keys()
