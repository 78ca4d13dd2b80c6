from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from deepcolor.evaluation import evaluate, table


def test_the_lines_are_aligned_and_not_too_long(photographs: Path, painter: Any) -> None:
    named = [painter(10, 20, "a-name-of-20-letters"), painter(0, 5)]
    result = evaluate(photographs, named)
    lines = table.text(result).splitlines()
    assert [line.split()[0] for line in lines[1:6]] == list(result.rows)
    assert len({len(line) for line in lines[:6]}) == 1
    assert max(len(line) for line in lines) <= 100
    for column, heading in enumerate(table.HEADINGS):
        end = lines[0].index(heading) + len(heading)
        for row, line in enumerate(lines[1:6]):
            assert line[:end].endswith(table.cells(result, row)[column])
    assert lines[1].endswith(table.NONE)
    assert lines[-1].startswith("3 photographs at 256x256; the truth's colorfulness is ")
    assert "gray" not in lines[-1]


def test_gray_photographs_are_told(photographs: Path, landscape: Image.Image) -> None:
    for name in ("a.png", "b.png", "sub/a & b.png"):
        landscape.save(photographs / name)
    text = table.text(evaluate(photographs, []))
    assert "Nearly gray, and so no test of color: 3." in text
    assert "nan" not in text


def test_json_holds_what_the_table_shows(photographs: Path, painter: Any) -> None:
    (photographs / "0.png").write_text("Dear grandmother, ...")
    result = evaluate(photographs, [painter(10, 20, "gray")])
    found = json.loads(json.dumps(table.as_json(result)))
    assert found["folder"] == str(photographs)
    assert (found["side"], found["photographs"], found["nearly_gray"]) == (256, 3, 0)
    assert found["colorfulness"] == pytest.approx(result.colorfulness)
    [failed] = found["failed"]
    assert failed["photograph"] == str(photographs / "0.png")
    assert failed["code"] == "not_a_photograph"
    assert list(found["baselines"]) == ["gray", "constant", "oracle"]
    assert found["baselines"]["constant"]["ab"] == list(result.constant)
    # A strategy may be called what a baseline is called.
    assert found["baselines"]["gray"]["seconds"] is None
    row = found["strategies"]["gray"]
    assert row["psnr"] == pytest.approx(result.means(3).psnr)
    assert row["colorfulness_ratio"] == pytest.approx(result.colorfulness_ratio(3))
    assert set(row) == {
        "psnr",
        "ssim",
        "auc",
        "auc_rebalanced",
        "ciede2000",
        "colorfulness",
        "colorfulness_ratio",
        "seconds",
    }
