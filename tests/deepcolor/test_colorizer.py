from __future__ import annotations

import inspect
import io
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image, ImageSequence

import deepcolor
from deepcolor import lab, metrics
from deepcolor.builtin.colornet import Colornet
from deepcolor.builtin.richzhang import RichZhang
from deepcolor.colorizer import Colorizer, Encoded
from deepcolor.encoding import Writing
from deepcolor.errors import (
    DeepcolorError,
    DeviceMissingError,
    HintsNotTakenError,
    JobsRangeError,
    KnobRangeError,
    SeveralWantedError,
    StrategyBrokenError,
    UnknownKnobError,
    UnknownStrategyError,
)
from deepcolor.join import network_lightness
from deepcolor.photograph import Photograph, Reading, decode
from deepcolor.strategy import Strategy
from tests.deepcolor.conftest import PAINTER, Install


def chroma(image: Image.Image) -> float:
    """Mean chroma in CIELAB."""
    rgb = torch.from_numpy(np.array(image.convert("RGB"))).permute(2, 0, 1)
    return lab.rgb_to_lab(rgb)[1:].norm(dim=0).mean().item()


def colorfulness(image: Image.Image) -> float:
    rgb = torch.from_numpy(np.array(image)).permute(2, 0, 1)
    return metrics.colorfulness(rgb[None]).item()


def difference(one: Image.Image, other: Image.Image) -> int:
    """The largest, in 8-bit codes."""
    return int(np.abs(np.asarray(one).astype(int) - np.asarray(other)).max())


@pytest.mark.parametrize("size", [(320, 240), (1, 1), (1, 500), (500, 10), (333, 77)])
def test_color_of_the_same_size(colornet: Colorizer, size: tuple[int, int]) -> None:
    colored = colornet(Image.linear_gradient("L").resize(size))
    assert (colored.mode, colored.size) == ("RGB", size)


def test_there_is_color(colornet: Colorizer, landscape: Image.Image) -> None:
    colored = colornet(landscape)
    assert chroma(colored) > 1.5
    assert np.asarray(colored).reshape(-1, 3).std(axis=1).max() > 5


def test_photographs_become_colorful(colornet: Colorizer, pictures: list[Path]) -> None:
    measured = {path.name: chroma(colornet(path)) for path in pictures}
    assert min(measured.values()) > 1, measured
    assert sum(measured.values()) / len(measured) > 6, measured


def test_old_photographs_become_colorful(colornet: Colorizer, old_photographs: list[Path]) -> None:
    measured = {path.name: chroma(colornet(path)) for path in old_photographs[::4]}
    assert min(measured.values()) > 1, measured
    assert sum(measured.values()) / len(measured) > 6, measured


def test_lightness_is_the_originals(colornet: Colorizer, landscape: Image.Image) -> None:
    colored = torch.from_numpy(np.array(colornet(landscape))).permute(2, 0, 1)
    gray = torch.from_numpy(np.array(landscape))
    of_code = lab.lightness(lab.linear_rgb(torch.arange(256, dtype=torch.uint8)))
    nearest = (lab.rgb_to_lab(colored)[0][..., None] - of_code).abs().argmin(dim=-1)
    assert (nearest - gray).abs().max() <= 1


def test_orientation_is_applied(colornet: Colorizer, landscape: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    file = io.BytesIO()
    landscape.save(file, "PNG", exif=exif.tobytes())
    turned = Image.open(io.BytesIO(colornet(file.getvalue())))
    assert turned.size == (240, 320)
    assert difference(turned, colornet(landscape.transpose(Image.Transpose.ROTATE_270))) == 0


def test_the_same_again_gives_the_same(colornet: Colorizer, landscape: Image.Image) -> None:
    assert difference(colornet(landscape), colornet(landscape)) == 0


def test_threads_give_the_pixels_of_one(colornet: Colorizer, landscape: Image.Image) -> None:
    originals = [landscape.rotate(angle) for angle in (0, 90, 180, 270)] * 2
    alone = [colornet(original) for original in originals[:4]] * 2
    start = threading.Barrier(8)

    def color(original: Image.Image) -> Image.Image:
        start.wait()
        return colornet(original)

    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(color, originals))
    assert [difference(a, b) for a, b in zip(alone, together, strict=True)] == [0] * 8


def test_a_batch_is_as_its_members(colornet: Colorizer, landscape: Image.Image) -> None:
    sources = [landscape, landscape.resize((100, 300)), landscape.rotate(180), landscape.crop()]
    batch = colornet.batch(sources, saturation=1.2)
    assert [image.size for image in batch] == [source.size for source in sources]
    for image, source in zip(batch, sources, strict=True):
        assert difference(image, colornet(source, saturation=1.2)) <= 2
    assert colornet.batch([]) == []


def test_a_batch_of_many_takes_several_forwards(
    colornet: Colorizer, landscape: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("deepcolor.colorizer.MOST_AT_ONCE", 3)
    predict, counts = colornet.strategy.predict, []

    def noted(l: torch.Tensor, *others: Any) -> torch.Tensor:
        counts.append(len(l))
        return predict(l, *others)

    monkeypatch.setattr(colornet.strategy, "predict", noted)
    sources = [landscape.rotate(angle) for angle in range(0, 140, 20)]
    sources.insert(2, landscape.resize((100, 300)))
    batch = colornet.batch(sources, size=64)
    assert sorted(counts) == [1, 1, 3, 3]
    for image, source in zip(batch, sources, strict=True):
        assert difference(image, colornet(source, size=64)) <= 2


def test_any_kind_of_source(colornet: Colorizer, landscape: Image.Image, tmp_path: Path) -> None:
    path = tmp_path / "landscape.png"
    landscape.save(path)
    expected = colornet(landscape)
    for source in (path, str(path)):
        assert difference(colornet(source), expected) == 0
    from_array = colornet(np.asarray(landscape))
    assert isinstance(from_array, np.ndarray)
    assert difference(Image.fromarray(from_array), expected) == 0
    from_file = Image.open(io.BytesIO(colornet(path.read_bytes())))
    assert from_file.format == "PNG"
    assert difference(from_file, expected) == 0
    assert difference(deepcolor.colorize(path), expected) == 0
    with path.open("rb") as file:
        assert difference(colornet(file), expected) == 0
    for content in (bytearray(path.read_bytes()), memoryview(path.read_bytes())):
        assert difference(Image.open(io.BytesIO(colornet(content))), expected) == 0
    assert (colornet(np.asarray(landscape)[..., None]) == from_array).all()


def test_arrays_come_back_as_the_docs_say(colornet: Colorizer, landscape: Image.Image) -> None:
    gray = np.asarray(landscape)
    alpha = np.arange(gray.size, dtype=np.uint8).reshape(gray.shape)
    colored = colornet(np.dstack([gray] * 3))
    assert colored.shape == colornet(gray).shape == (*gray.shape, 3)
    with_alpha = colornet(np.dstack([gray, gray, gray, alpha]))
    assert with_alpha.shape == (*gray.shape, 4)
    assert (with_alpha[..., 3] == alpha).all()
    assert (with_alpha[..., :3] == colored).all()
    assert colored.flags.writeable
    told = (Path(__file__).parents[2] / "docs/library.md").read_text()
    for words in (told, deepcolor.colorize.__doc__ or ""):
        assert re.search(r"one `?\(H, W, 4\)`? with alpha an array `?\(H, W, 4\)`?", words)


def test_the_docs_show_how_load_is_called() -> None:
    told = (Path(__file__).parents[2] / "docs/library.md").read_text()
    found = re.search(r"\*\*`deepcolor\.load\((.*)\)`\*\*", told)
    assert found is not None
    shown = [each.partition("=")[0] for each in found[1].split(", ")]
    kinds = inspect.signature(deepcolor.load).parameters.values()
    named = [each.name for each in kinds if each.kind is each.KEYWORD_ONLY]
    assert shown == ["strategy", "*", *named]


def test_colors_that_were_there_are_ignored(colornet: Colorizer, landscape: Image.Image) -> None:
    sepia = Image.merge("RGB", [landscape.point(lambda c, k=k: int(c * k)) for k in (1, 0.9, 0.7)])
    gray = sepia.convert("L")
    from_sepia, from_gray = colornet(sepia), colornet(gray)
    assert abs(chroma(from_sepia) - chroma(from_gray)) < 1.5


def test_unknown_knob(colornet: Colorizer, landscape: Image.Image) -> None:
    with pytest.raises(
        UnknownKnobError, match=r"no knob 'warmth'.* saturation, size, viv"
    ) as error:
        colornet(landscape, warmth=1)
    assert (error.value.code, error.value.exit_code) == ("unknown_knob", 2)


@pytest.mark.parametrize(
    ("knob", "value"),
    [
        ("saturation", -0.1),
        ("saturation", 2.1),
        ("vividness", -1),
        ("vividness", 2.01),
        ("size", 63),
        ("size", 1025),
        ("saturation", float("nan")),
        ("size", "256"),
        ("size", None),
        ("vividness", 10**400),
    ],
)
def test_knobs_have_ends(
    colornet: Colorizer, landscape: Image.Image, knob: str, value: Any
) -> None:
    with pytest.raises(KnobRangeError, match=f"^{knob} must be .*between") as error:
        colornet(landscape, **{knob: value})
    assert error.value.code == "knob_out_of_range"


def test_saturation_of_zero_is_gray(colornet: Colorizer, landscape: Image.Image) -> None:
    colored = np.asarray(colornet(landscape, saturation=0))
    assert (colored == np.asarray(landscape)[..., None]).all()


def test_saturation_scales_chroma(colornet: Colorizer, landscape: Image.Image) -> None:
    half, whole = (chroma(colornet(landscape, saturation=s)) for s in (Fraction(1, 2), 1))
    assert half == pytest.approx(whole / 2, rel=0.08)


def test_vividness_is_a_knob(colornet: Colorizer, landscape: Image.Image) -> None:
    assert difference(colornet(landscape), colornet(landscape, vividness=1)) == 0
    assert difference(colornet(landscape, vividness=0), colornet(landscape, vividness=2)) > 5


def test_vividness_is_vivid(colornet: Colorizer, pictures: list[Path]) -> None:
    """Not for each photograph, but for them all."""
    dull, balanced, bold = (
        sum(colorfulness(colornet(path, vividness=v)) for path in pictures) for v in (0, 1, 2)
    )
    assert dull < 1.05 * balanced
    assert bold > 1.2 * balanced


def test_size_changes_what_the_network_sees(colornet: Colorizer, landscape: Image.Image) -> None:
    small, large = colornet(landscape, size=64), colornet(landscape, size=512)
    assert small.size == large.size == landscape.size
    assert difference(small, large) > 5


def test_network_sizes(colornet: Colorizer) -> None:
    def seen(colorizer: Colorizer, width: int, height: int, size: float) -> tuple[int, int]:
        photograph = deepcolor.photograph.decode(Image.new("L", (width, height)))
        return colorizer._network_size(photograph, {"size": size})

    assert seen(colornet, 900, 900, 256) == (256, 256)
    assert seen(colornet, 2000, 500, 256) == (512, 128)
    assert seen(colornet, 1, 5000, 256) == (32, 4096)
    stretching = Colorizer(RichZhang(), torch.device("cpu"))
    assert seen(stretching, 2000, 500, 256) == (256, 256)
    assert seen(stretching, 2000, 500, 100) == (96, 96)


@pytest.mark.parametrize(("kind", "exact"), [(RichZhang, True), (Colornet, False)])
def test_what_is_stretched_is_so_to_the_digit(kind: type[Strategy], exact: bool) -> None:
    """However large the photograph, of which others' networks see means of squares."""
    noise = np.random.default_rng(0).integers(0, 256, (600, 600), dtype=np.uint8)
    seen = Colorizer(kind(), torch.device("cpu"))._prepare(noise, Reading(), {"size": 64}, ()).l
    exactly, quickly = (
        network_lightness(decode(noise, Reading()), (64, 64), exact=exact)
        for exact in (True, False)
    )
    assert (torch.equal(seen, exactly), torch.equal(seen, quickly)) == (exact, not exact)


def test_a_file_comes_back_as_its_kind(colornet: Colorizer, landscape: Image.Image) -> None:
    file = io.BytesIO()
    landscape.save(file, "JPEG")
    encoded = colornet.file(file.getvalue())
    assert (encoded.media_type, encoded.width, encoded.height) == ("image/jpeg", 320, 240)
    assert list(encoded.milliseconds) == ["decode", "network", "join", "encode"]
    assert all(spent >= 0 for spent in encoded.milliseconds.values())
    with Image.open(io.BytesIO(encoded.content)) as result:
        assert (result.format, result.size, result.mode) == ("JPEG", (320, 240), "RGB")
        assert "Colors are simulated" in result.getexif()[0x010E]


def test_alpha_comes_through(colornet: Colorizer, landscape: Image.Image) -> None:
    alpha = Image.linear_gradient("L").resize(landscape.size)
    colored = colornet(Image.merge("LA", (landscape, alpha)))
    assert colored.mode == "RGBA"
    assert colored.getchannel("A").tobytes() == alpha.tobytes()


def test_an_unknown_strategy() -> None:
    with pytest.raises(UnknownStrategyError, match="did you mean 'colornet'"):
        deepcolor.load("colonet")


@pytest.mark.parametrize("device", ["cuda:99", "gpu", "meta", "", "cuda:x"])
def test_a_device_that_is_not_here(device: str) -> None:
    with pytest.raises(DeviceMissingError, match=f"no device '{device}' here.* cpu") as caught:
        deepcolor.load(device=device)
    assert (caught.value.code, caught.value.exit_code) == ("device_missing", 2)


@pytest.mark.parametrize("device", [torch.device("cpu"), torch.device("cpu", 0), "cpu:0"])
def test_a_device_may_be_torchs(device: str | torch.device) -> None:
    assert deepcolor.load(device=device).device == torch.device(device)


def test_a_device_of_torchs_that_is_not_here() -> None:
    with pytest.raises(DeviceMissingError, match="no device 'cuda:99' here"):
        deepcolor.load(device=torch.device("cuda", 99))


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is such a device")
def test_a_kind_of_device_that_is_not_here() -> None:
    with pytest.raises(DeviceMissingError, match=r"no device 'cuda' here; there are: .*cpu"):
        deepcolor.load(device="cuda")


GIVES = "l.new_tensor([30.0, -20.0])[None, :, None, None].expand(len(l), 2, 8, 8)"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (f"{GIVES} * float('nan')", "a*b* that are no numbers"),
        (f"{GIVES} * 1e9", "a*b* that are no numbers from -10,000 to 10,000"),
        (f"{GIVES}.double() * 1e300", "a*b* that are no numbers"),
        (f"{GIVES} * 1j", "complex numbers"),
        (f"{GIVES} / 0", "a*b* that are no numbers"),
        (f"{GIVES}[:, :1]", "(1, 1, 8, 8) instead of (1, 2, h, w)"),
        (f"{GIVES}[0]", "(2, 8, 8) instead of (1, 2, h, w)"),
        (f"{GIVES}[..., :0]", "(1, 2, 8, 0) instead of (1, 2, h, w)"),
        (f"{GIVES}.numpy()", "ndarray instead of a tensor"),
    ],
)
def test_what_is_no_color_is_not_written(
    install: Install, landscape: Image.Image, given: str, said: str
) -> None:
    code = PAINTER.format(type="Painter", name="painter")
    assert GIVES in code
    install("odd", code=code.replace(GIVES, given))
    painter = deepcolor.load("painter", device="cpu")
    with pytest.raises(StrategyBrokenError, match=re.escape(said)) as caught:
        painter(landscape)
    assert str(caught.value).startswith("The strategy 'painter' is broken: it gives ")
    assert caught.value.code == "strategy_broken"
    [failed] = painter.map([landscape])
    assert isinstance(failed, StrategyBrokenError)


RAISED = [
    ("ValueError('no layers')", (StrategyBrokenError, r"ready \(ValueError: no layers\)")),
    ("KeyError('a\\nb' + 'c' * 999)", (StrategyBrokenError, r"^.{,400}$")),
    ("MemoryError()", (MemoryError, "^$")),
    ('RuntimeError("DefaultCPUAllocator: can\'t allocate memory")', (RuntimeError, "can't")),
]


@pytest.mark.parametrize(("raised", "told"), RAISED)
def test_a_strategy_that_cannot_be_made(
    install: Install, raised: str, told: tuple[type[Exception], str]
) -> None:
    code = PAINTER.format(type="Painter", name="painter")
    install("odd", code=f"{code}\n    def __init__(self):\n        raise {raised}\n")
    with pytest.raises(told[0], match=told[1].replace("ready", "made")):
        deepcolor.load("painter", device="cpu")


@pytest.mark.parametrize(("raised", "told"), RAISED)
def test_a_network_that_cannot_be_made_ready(
    install: Install, raised: str, told: tuple[type[Exception], str]
) -> None:
    code = PAINTER.format(type="Painter", name="painter")
    install(
        "odd", code=f"{code}\n    def prepare(self, weights, device):\n        raise {raised}\n"
    )
    with pytest.raises(told[0], match=told[1]):
        deepcolor.load("painter", device="cpu")


def test_a_network_that_fails(install: Install, landscape: Image.Image) -> None:
    code = PAINTER.format(type="Painter", name="painter")
    assert f"return {GIVES}" in code
    install("odd", code=code.replace(f"return {GIVES}", "raise IndexError('no such layer')"))
    painter = deepcolor.load("painter", device="cpu")
    for color in (painter, painter.file):
        with pytest.raises(StrategyBrokenError, match=r"failed \(IndexError: no such layer\)"):
            color(landscape)
    [failed] = painter.map([landscape])
    assert isinstance(failed, StrategyBrokenError)


def test_maps_beside_each_other_give_all_threads_back(
    colornet: Colorizer, landscape: Image.Image
) -> None:
    def of_a_new_thread() -> int:
        with ThreadPoolExecutor(1) as pool:
            return pool.submit(torch.get_num_threads).result()

    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        first = colornet.map([landscape] * 3)
        next(first)
        with ThreadPoolExecutor(1) as pool:
            second = pool.submit(lambda: colornet.map([landscape] * 3)).result()
            pool.submit(next, second).result()
            assert len(list(first)) == 2
            assert len(pool.submit(list, second).result()) == 2
        assert torch.get_num_threads() == of_a_new_thread() == 2
    finally:
        torch.set_num_threads(before)


def test_who_wants_no_more_waits_for_nothing_that_has_not_begun(
    colornet: Colorizer, landscape: Image.Image, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = []

    def slowly(source: Any, reading: Reading) -> Photograph:
        begun.append(source)
        time.sleep(0.2)
        return decode(source, reading)

    monkeypatch.setattr("deepcolor.colorizer.decode", slowly)
    files = colornet.map([landscape] * 9, jobs=1)
    next(files)
    files.close()  # type: ignore[attr-defined]
    assert len(begun) <= 2


def test_weights_are_not_fetched_for_what_makes_no_sense(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("deepcolor.colorizer.load", pytest.fail)
    with pytest.raises(HintsNotTakenError):
        deepcolor.colorize("photo.jpg", "richzhang", hints=[deepcolor.Hint(1, 1, "#c84b31")])
    with pytest.raises(UnknownKnobError):
        deepcolor.colorize("photo.jpg", "richzhang", brightness=1)


def test_what_makes_no_sense_for_any_is_said_before_the_first_is_asked_for(
    colornet: Colorizer,
) -> None:
    with pytest.raises(UnknownKnobError):
        colornet.map(["a.jpg"], {"brightness": 1})
    with pytest.raises(SeveralWantedError):
        colornet.map("a.jpg")
    with pytest.raises(JobsRangeError):
        colornet.map(["a.jpg"], jobs=0)


def test_the_package_gives_its_public_names() -> None:
    assert {deepcolor.__name__, *deepcolor.__all__} >= {"deepcolor", "colorize", "load"}
    for name in deepcolor.__all__:
        assert getattr(deepcolor, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'paint'"):
        _ = deepcolor.paint  # type: ignore[attr-defined]


def test_alpha_is_kept(colornet: Colorizer) -> None:
    alpha = Image.linear_gradient("L").resize((30, 20))
    colored = colornet(Image.merge("LA", (Image.new("L", (30, 20), 90), alpha)))
    assert colored.mode == "RGBA"
    assert colored.getchannel("A").tobytes() == alpha.tobytes()


SINGLE = {
    "str": "photo.jpg",
    "bytes": b"content",
    "bytearray": bytearray(b"content"),
    "Path": Path("photo.jpg"),
    "Image": Image.new("L", (4, 4)),
    "BytesIO": io.BytesIO(b"content"),
    "ndarray": np.zeros((4, 4, 3), np.uint8),
    "NoneType": None,
    "int": 7,
}


@pytest.mark.parametrize("kind", SINGLE)
def test_several_are_given_as_a_list(colornet: Colorizer, kind: str) -> None:
    single: Any = SINGLE[kind]
    for begin in (colornet.batch, lambda source: next(colornet.map(source))):
        with pytest.raises(
            SeveralWantedError, match=rf"as a list, not as \w*{kind}; give"
        ) as caught:
            begin(single)
    assert (caught.value.code, caught.value.exit_code) == ("several_wanted", 2)


@pytest.mark.parametrize("wrap", [list, tuple, iter, np.stack])
def test_several_may_be_anything_to_go_through(colornet: Colorizer, wrap: Any) -> None:
    grays = [np.zeros((20, 30), np.uint8)] * 2
    results = list(colornet.map(wrap(grays), {"size": 64}, jobs=1))
    assert [getattr(result, "width", result) for result in results] == [30, 30]


@pytest.mark.parametrize("jobs", [-1, 0, 1.5, "2"])
def test_nobody_cannot_work(colornet: Colorizer, landscape: Image.Image, jobs: Any) -> None:
    with pytest.raises(JobsRangeError, match=f"of at least 1, not {jobs!r}; leave") as caught:
        next(colornet.map([landscape], jobs=jobs))
    assert (caught.value.code, caught.value.exit_code) == ("jobs_out_of_range", 2)


@pytest.fixture
def sources(landscape: Image.Image) -> list[Any]:
    """One of each way to the network and back: gray, in colors, of sixteen bits."""
    sepia = Image.merge("RGB", [landscape.point(lambda c, k=k: int(c * k)) for k in (1, 0.9, 0.7)])
    deep = io.BytesIO()
    Image.fromarray(np.asarray(landscape).astype(np.uint16) * 257).save(deep, "PNG")
    return [landscape, sepia, deep.getvalue()]


def every_way(colorizer: Colorizer, sources: list[Any]) -> list[bytes]:
    """Their pixels through every door of the library."""
    hints = [deepcolor.Hint(40, 30, "#c84b31")]
    files = colorizer.map(sources, jobs=2)
    encoded = [colorizer.file(source, hints=hints) for source in sources]
    encoded += [result for result in files if not isinstance(result, DeepcolorError)]
    assert len(encoded) == 2 * len(sources)
    images = [*colorizer.batch(sources), colorizer.as_published(sources[1])]
    return [one.content for one in encoded] + [image.tobytes() for image in images]


def test_autocast_around_changes_no_pixel(colornet: Colorizer, sources: list[Any]) -> None:
    expected = every_way(colornet, sources)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert every_way(colornet, sources) == expected
        assert every_way(deepcolor.load(device=str(colornet.device)), sources) == expected
        assert torch.is_autocast_enabled("cpu")


def test_another_default_type_changes_no_pixel(colornet: Colorizer, sources: list[Any]) -> None:
    expected = every_way(colornet, sources)
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        assert every_way(colornet, sources) == expected
        assert every_way(deepcolor.load(device=str(colornet.device)), sources) == expected
    finally:
        torch.set_default_dtype(before)


WIDE_FROM_THE_START = """
import hashlib, sys, torch
if sys.argv[1] == "wide":
    torch.set_default_dtype(torch.float64)
import deepcolor
colorizer = deepcolor.load(device="cpu")
for source in sys.argv[2:]:
    for hints in ([], [deepcolor.Hint(40, 30, "#c84b31")]):
        print(hashlib.sha256(colorizer(source, hints=hints).tobytes()).hexdigest())
"""


def test_a_default_type_set_before_all_changes_no_pixel(
    landscape: Image.Image, tmp_path: Path
) -> None:
    """Tables are made once, when they are first looked into."""
    paths = [str(tmp_path / name) for name in ("gray.png", "colors.png")]
    landscape.save(paths[0])
    Image.merge("RGB", [landscape, landscape.rotate(180), landscape]).save(paths[1])
    usual, wide = (
        subprocess.check_output(
            [sys.executable, "-c", WIDE_FROM_THE_START, how, *paths], text=True, timeout=120
        ).split()
        for how in ("usual", "wide")
    )
    assert len(set(usual)) == 4
    assert wide == usual


@pytest.mark.parametrize("kind", ["array", "image", "file", "frames", "buffer"])
def test_a_generator_may_go_on_to_reuse_or_close_what_it_gave(
    colornet: Colorizer, tmp_path: Path, kind: str
) -> None:
    shades = [*range(20, 240, 20)]

    def photographs() -> Iterator[Any]:
        reused = np.zeros((64, 64), np.uint8)
        for i, shade in enumerate(shades):
            reused[:] = shade
            path = tmp_path / f"{i}.png"
            Image.fromarray(reused).save(path)
            if kind == "array":
                yield reused
            elif kind == "buffer":
                held = bytearray(path.read_bytes())
                yield held
                held[:] = bytes(len(held))
            elif kind == "image":
                with Image.open(path) as image:
                    yield image
            elif kind == "file":
                with path.open("rb") as file:
                    yield file

    sources: Any = photographs()
    if kind == "frames":
        first, *others = (Image.new("L", (64, 64), shade) for shade in shades)
        film = io.BytesIO()
        first.save(film, "GIF", save_all=True, append_images=others)
        sources = ImageSequence.Iterator(Image.open(film))
    found = []
    for done in colornet.map(sources, {"size": 64}, jobs=2, writing=Writing("png")):
        assert not isinstance(done, DeepcolorError), done
        with Image.open(io.BytesIO(done.content)) as image:
            found.append(round(np.asarray(image.convert("L")).mean()))
    assert found == pytest.approx(shades, abs=2)


def test_results_come_before_the_error_of_a_source(
    colornet: Colorizer, landscape: Image.Image
) -> None:
    def photographs() -> Iterator[Image.Image]:
        yield from [landscape] * 3
        raise ConnectionError("the archive is gone")

    results = colornet.map(photographs(), {"size": 64}, jobs=2)
    assert [type(next(results)) for _ in range(3)] == [Encoded] * 3
    with pytest.raises(ConnectionError, match="the archive is gone"):
        next(results)


def test_what_is_done_does_not_wait_for_the_next_source(
    colornet: Colorizer, landscape: Image.Image
) -> None:
    """As where a source is a queue; so late that the first is done for sure."""
    given = []

    def photographs() -> Iterator[Image.Image]:
        for i in range(4):
            given.append(i)
            yield landscape
            time.sleep(2 if i == 0 else 0)

    results = colornet.map(photographs(), {"size": 64}, jobs=1)
    next(results)
    assert given == [0, 1]
    assert len([*results]) == 3


def test_the_host_programs_default_device_is_its_own() -> None:
    """In a process of its own, where nothing was made before."""
    code = """
import torch, deepcolor
from PIL import Image
image = Image.new("L", (64, 48), 90)
torch.manual_seed(0)
with torch.device("meta"):
    colorizer = deepcolor.load()
    inside = colorizer(image)
assert inside.tobytes() == colorizer(image).tobytes()
torch_number = torch.rand(1)
torch.manual_seed(0)
assert torch_number == torch.rand(1), "load drew from the host's random numbers"
"""
    subprocess.run([sys.executable, "-c", code], check=True)


def test_an_encoded_photograph_is_shown_without_its_bytes(
    colornet: Colorizer, landscape: Image.Image
) -> None:
    assert len(repr(colornet.file(landscape))) < 300
