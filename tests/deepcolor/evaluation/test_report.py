from __future__ import annotations

import base64
import io
import itertools
import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from deepcolor.errors import NotWritableError
from deepcolor.evaluation import Evaluation, evaluate, table
from deepcolor.evaluation.report import page, write_report


class Page(HTMLParser):
    """What a page holds; fails where elements don't close in turn."""

    def __init__(self, html: str):
        super().__init__()
        self.open: list[str] = []
        self.images: list[dict[str, str | None]] = []
        self.links: list[str] = []
        self.cells: list[str] = []
        self.headings: list[str] = []
        self.feed(html)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = dict(attrs)
        self.links += [str(found[name]) for name in ("src", "href") if name in found]
        if tag == "img":
            self.images.append(found)
        if tag not in {"meta", "img"}:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] == "td":
            self.cells.append(data)
        if self.open and self.open[-1] == "h3":
            self.headings.append(data)


@pytest.fixture
def result(photographs: Path, painter: Any) -> Evaluation:
    return evaluate(photographs, [painter(10, 20, "one"), painter(-5, 0, "two")])


def test_the_page_is_whole_and_asks_for_nothing(result: Evaluation) -> None:
    html = page(result)
    parsed = Page(html)
    assert parsed.links
    assert all(link.startswith("data:image/jpeg;base64,") for link in parsed.links)
    assert "<script" not in html
    assert "url(" not in html
    assert "<&>" not in html


def test_the_table_is_the_one_of_the_terminal(result: Evaluation) -> None:
    wanted = [cell for row in range(len(result.rows)) for cell in table.cells(result, row)]
    assert Page(page(result)).cells[: len(wanted)] == wanted


def test_photographs_stand_side_by_side_best_first(result: Evaluation) -> None:
    parsed = Page(page(result))
    order = sorted(result.cases, key=lambda case: result.gain(case, 3), reverse=True)
    names = [case.path.relative_to(result.folder).as_posix() for case in order]
    assert parsed.headings == [names[0], names[1], names[2]]
    first = [str(image["alt"]) for image in parsed.images[:4]]
    assert first == [f"{order[0].path.name}, {who}" for who in ("gray", "truth", "one", "two")]


def test_the_pictures_have_the_photographs_own_shape_and_colors(result: Evaluation) -> None:
    parsed = Page(page(result))
    by_name = {str(image["alt"]): image for image in parsed.images}
    truth = by_name["b.png, truth"]
    assert (truth["width"], truth["height"]) == ("171", "256")
    data = base64.b64decode(str(truth["src"]).partition(",")[2])
    with Image.open(io.BytesIO(data)) as picture, Image.open(result.folder / "b.png") as original:
        assert picture.size == (171, 256)
        near = np.asarray(picture.resize((20, 30))).astype(float)
        assert abs(near - np.asarray(original.resize((20, 30)))).mean() < 6
    gray = base64.b64decode(str(by_name["b.png, gray"]["src"]).partition(",")[2])
    with Image.open(io.BytesIO(gray)) as picture:
        pixels = np.asarray(picture).astype(int)
        assert abs(pixels[..., 0] - pixels[..., 2]).max() <= 2


def test_the_best_figure_of_several_strategies_is_marked(result: Evaluation) -> None:
    marked = re.findall(r'<td class="best">([^<]*)</td>', page(result))
    means = [result.means(row) for row in (3, 4)]
    assert f"{max(one.psnr for one in means):.2f}" in marked
    assert f"{min(one.ciede2000 for one in means):.2f}" in marked
    assert len(marked) == 7
    alone = replace(
        result,
        strategies=("one",),
        cases=[replace(case, figures=case.figures[:4]) for case in result.cases],
        _shown=[],
    )
    assert 'class="best"' not in page(alone)


def test_the_same_figures_make_the_same_page(
    photographs: Path, painter: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.perf_counter", itertools.count().__next__)
    first, second = (page(evaluate(photographs, [painter(10, 20)])) for _ in range(2))
    assert first == second


def test_gray_photographs_and_no_strategies_make_a_page_too(
    photographs: Path, painter: Any, landscape: Image.Image
) -> None:
    Page(page(evaluate(photographs, [])))
    for path in photographs.rglob("*.png"):
        landscape.save(path)
    html = page(evaluate(photographs, [painter(10, 20)]))
    Page(html)
    assert "nan" not in re.sub(r"data:[^\"]*", "", html)


def test_a_page_that_cannot_be_written(result: Evaluation, tmp_path: Path) -> None:
    write_report(result, tmp_path / "new" / "report.html")
    assert (tmp_path / "new" / "report.html").read_text("utf-8") == page(result)
    (tmp_path / "file").write_text("")
    with pytest.raises(NotWritableError, match=r"file.report\.html cannot be written"):
        write_report(result, tmp_path / "file" / "report.html")
