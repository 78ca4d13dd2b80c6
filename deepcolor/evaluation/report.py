"""An evaluation as one page of HTML that needs nothing else: figures, plots and photographs."""

from __future__ import annotations

import base64
import io
from collections.abc import Sequence
from html import escape
from importlib import resources
from pathlib import Path

from PIL import Image
from torch import Tensor

from deepcolor.disk import write_whole
from deepcolor.errors import NotWritableError, reason
from deepcolor.evaluation import plots
from deepcolor.evaluation.evaluate import BASELINES, GRAY, Case, Evaluation, Figures, Shown
from deepcolor.evaluation.table import cells, extent
from deepcolor.evaluation.truths import SIDE
from deepcolor.version import __version__

JPEG_QUALITY = 80
STRATEGIES = len(BASELINES)  # the row of the first
UNPLOTTED = BASELINES.index("oracle")  # so far above all others that they would lie in a heap

COLUMNS = (
    ("PSNR", "dB"),
    ("SSIM", ""),
    ("AuC", "%"),
    ("AuC, rebalanced", "%"),
    ("CIEDE2000", "lower is better"),
    ("Colorfulness", ""),
    ("Colorfulness", "/ truth"),
    ("Time", "s a photograph"),
)

DEFINITIONS = (
    (
        "PSNR",
        "10 log₁₀(255² / mean squared error) over the codes of R, G and B; the mean of the "
        "photographs. It rewards caution: no color at all beats a vivid guess that is wrong here "
        "and there.",
    ),
    (
        "SSIM",
        "Structural similarity in an 11×11 Gaussian window, the mean of R, G and B. Wang, Bovik, "
        "Sheikh & Simoncelli, IEEE TIP 2004.",
    ),
    (
        "AuC",
        "1 − the mean of min(distance in a*b*, 150) / 150 over the pixels. Zhang, Isola & Efros, "
        "ECCV 2016, section 3.1.",
    ),
    (
        "AuC, rebalanced",
        "The same with each pixel weighted by 1 / (p/2 + 1/2Q), where p is the share of its true "
        "color's bin, one of Q, among the photographs that colornet learned from. Rare colors "
        "count for more.",
    ),
    (
        "CIEDE2000",
        "The mean difference as the eye sees it; about 2 is just noticeable. Sharma, Wu & Dalal, "
        "Color Research & Application, 2005.",
    ),
    (
        "Colorfulness",
        "Spread plus 0.3 times the mean of |R−G| and |(R+G)/2−B|, after Hasler & Süsstrunk, 2003, "
        "unsigned as in DDColor, ICCV 2023; the ratio is that of the means.",
    ),
    (
        "The baselines",
        "Gray has no color. Constant is one a*b* for the whole folder, the geometric median of "
        "all pixels: no other has a higher AuC. Oracle is the true a*b* made small, 64×64, and "
        "large again.",
    ),
    (
        "Time",
        "The median from gray pixels to color ones, the network and all around it, on the machine "
        "that wrote this page.",
    ),
)


def write_report(result: Evaluation, path: Path) -> None:
    """Writes the page to ``path``; raises :class:`deepcolor.errors.NotWritableError`."""
    try:
        write_whole(path, page(result).encode("utf-8", "replace"))
    except OSError as error:
        raise NotWritableError(path, reason(error)) from error


def page(result: Evaluation) -> str:
    """The page. ``result`` has one case or more."""
    title = f"Colorization, measured on {escape(result.folder.resolve().name)}"
    style = resources.files("deepcolor.evaluation").joinpath("report.css").read_text("utf-8")
    return "\n".join(
        [
            "<!doctype html>",
            '<html lang="en">',
            '<meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{title}</title>",
            f"<style>\n{style}</style>",
            "<body>",
            f"<header><h1>{title}</h1>",
            f"<p>{escape(extent(result))} Each was made gray and colored again; the figures tell "
            "how far the guessed colors are from the true ones. Read PSNR beside colorfulness: "
            "a guess without color is seldom far off, and never right.</p></header>",
            _table(result),
            _plots(result),
            _cases(result, "Best", "farthest above, or least below,", result.best),
            _cases(result, "Worst", "least above, or farthest below,", result.worst),
            _every(result),
            _definitions(),
            f"<footer>Made by deepcolor {__version__} with <code>deepcolor evaluate</code>. "
            "Colors are guesses.</footer>",
            "</body>",
            "</html>",
            "",
        ]
    )


def _table(result: Evaluation) -> str:
    headings = "".join(f"<th>{name}<small>{unit}</small></th>" for name, unit in COLUMNS)
    best = _best(result)
    rows = []
    for row, name in enumerate(result.rows):
        first = " first" if row == STRATEGIES else ""
        kind = "base" if row < STRATEGIES else f"strategy{first}"
        values = "".join(
            f'<td class="best">{cell}</td>' if (row, i) in best else f"<td>{cell}</td>"
            for i, cell in enumerate(cells(result, row))
        )
        rows.append(f'<tr class="{kind}"><th scope="row">{_label(row, name)}</th>{values}</tr>')
    body = "\n".join(rows)
    return (
        f'<div class="wide"><table>\n<thead><tr><th></th>{headings}</tr></thead>\n'
        f"<tbody>\n{body}\n</tbody></table></div>"
    )


def _best(result: Evaluation) -> set[tuple[int, int]]:
    """The cells (row, column) that lead their column, where several strategies compete."""
    rows = range(STRATEGIES, len(result.rows))
    if len(rows) < 2:  # nobody to lead
        return set()
    found = set()
    means = {row: result.means(row) for row in rows}
    ratios = {row: result.colorfulness_ratio(row) for row in rows}
    merits = (
        lambda row: means[row].psnr,
        lambda row: means[row].ssim,
        lambda row: means[row].auc,
        lambda row: means[row].auc_rebalanced,
        lambda row: -means[row].ciede2000,
        None,
        lambda row: -abs((ratios[row] or 0) - 1),
        lambda row: -(means[row].seconds or 0),
    )
    for column, merit in enumerate(merits):
        if merit is not None:
            found.add((max(rows, key=merit), column))
    return found


def _label(row: int, name: str) -> str:
    if row < STRATEGIES:
        return escape(name)
    hue = (row - STRATEGIES) % plots.HUES
    return f'<span class="dot hue{hue}"></span>{escape(name)}'


def _plots(result: Evaluation) -> str:
    rows = range(STRATEGIES, len(result.rows))
    if not rows:
        return ""
    curves = [(row - STRATEGIES, [result.gain(case, row) for case in result.cases]) for row in rows]
    spots = [
        plots.Spot(name, ratio, result.means(row).psnr, row - STRATEGIES if row in rows else None)
        for row, name in enumerate(result.rows)
        if row != UNPLOTTED and (ratio := result.colorfulness_ratio(row)) is not None
    ]
    key = "".join(f"<li>{_label(row, result.rows[row])}</li>" for row in rows)
    figures = [
        _figure(
            "How often it beats gray",
            "AuC above that of no color, in points of percent, each strategy’s photographs from "
            f'its worst to its best.<ul class="key">{key}</ul>',
            plots.gains(curves),
        )
    ]
    if spots:
        figures.append(
            _figure(
                "Faithful and colorful",
                "PSNR in dB against colorfulness. The best place is high and on the line, where "
                "the guess is as colorful as the truth. The oracle is far above.",
                plots.plane(spots),
            )
        )
    times = [
        (result.rows[row], seconds, row - STRATEGIES)
        for row in rows
        if (seconds := result.means(row).seconds) is not None
    ]
    figures.append(
        _figure("Time", "Seconds a photograph at 256×256, on this machine.", plots.bars(times))
    )
    return f'<section class="plots">{"".join(figures)}</section>'


def _figure(title: str, caption: str, plot: str) -> str:
    return f"<figure><figcaption><strong>{title}</strong>{caption}</figcaption>{plot}</figure>"


def _cases(result: Evaluation, title: str, place: str, shown: Sequence[Shown]) -> str:
    if not shown or not result.strategies:
        return ""
    what = (
        f"Where the AuC of {escape(result.strategies[0])} is {place} that of gray. Below each "
        "guess: its AuC over gray’s, PSNR and CIEDE2000."
    )
    cases = "\n".join(_case(result, one) for one in shown)
    kind = "cases few" if len(result.strategies) == 1 else "cases"
    return f'<section><h2>{title}</h2><p>{what}</p><div class="{kind}">{cases}</div></section>'


def _case(result: Evaluation, shown: Shown) -> str:
    case = shown.case
    pictures = [
        _picture(shown, shown.gray, "gray", _values(case.figures[GRAY])),
        _picture(shown, shown.truth, "truth", f"colorfulness {case.colorfulness:.0f}"),
    ]
    for row, rgb in enumerate(shown.colored, start=STRATEGIES):
        values = f"<span>AuC {_gain(result, case, row)}</span> · {_values(case.figures[row])}"
        pictures.append(_picture(shown, rgb, result.rows[row], values))
    name = escape(_name(result, case.path))
    return (
        f'<article class="case"><h3 title="{name}">{name}</h3>'
        f'<div class="strip">{"".join(pictures)}</div></article>'
    )


def _gain(result: Evaluation, case: Case, row: int) -> str:
    return f"{result.gain(case, row):+.1f}".replace("-", "−")


def _values(figures: Figures) -> str:
    return f"<span>{figures.psnr:.1f} dB</span> · <span>ΔE {figures.ciede2000:.1f}</span>"


def _picture(shown: Shown, rgb: Tensor, name: str, values: str) -> str:
    scale = SIDE / max(shown.size)
    width, height = (max(1, round(side * scale)) for side in shown.size)
    image = Image.fromarray(rgb.permute(1, 2, 0).numpy()).resize((width, height))
    file = io.BytesIO()
    image.save(file, "JPEG", quality=JPEG_QUALITY)
    data = base64.b64encode(file.getvalue()).decode()
    alt = f"{escape(shown.case.path.name)}, {escape(name)}"
    return (
        f'<figure><img src="data:image/jpeg;base64,{data}" width="{width}" height="{height}" '
        f'alt="{alt}" loading="lazy"><figcaption><strong>{escape(name)}</strong>{values}'
        "</figcaption></figure>"
    )


def _every(result: Evaluation) -> str:
    """The figures of each photograph, folded away."""
    rows = range(STRATEGIES, len(result.rows))
    headings = "".join(
        f"<th>{escape(result.rows[row])}<small>AuC over gray</small></th>"
        "<th><small>PSNR, dB</small></th>"
        for row in rows
    )
    lines = []
    for case in result.cases:
        values = "".join(
            f"<td>{_gain(result, case, row)}</td><td>{case.figures[row].psnr:.1f}</td>"
            for row in rows
        )
        name = escape(_name(result, case.path))
        lines.append(
            f'<tr><th scope="row" title="{name}">{name}</th><td>{case.figures[GRAY].psnr:.1f}</td>'
            f"{values}</tr>"
        )
    body = "\n".join(lines)
    return (
        '<details><summary>Every photograph</summary><div class="wide"><table>\n'
        f"<thead><tr><th></th><th>gray<small>PSNR, dB</small></th>{headings}</tr></thead>\n"
        f"<tbody>\n{body}\n</tbody></table></div></details>"
    )


def _definitions() -> str:
    terms = "".join(f"<div><dt>{term}</dt><dd>{text}</dd></div>" for term, text in DEFINITIONS)
    return f"<section><h2>What the figures are</h2><dl>{terms}</dl></section>"


def _name(result: Evaluation, path: Path) -> str:
    return path.relative_to(result.folder).as_posix()
