"""Writes what in docs/ is made from the code: the pages of the command line and the parameters,
and the pictures.

``make docs`` runs it; a test compares the page with what it would write.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click
from PIL import Image

from deepcolor import xmp
from deepcolor.cli import main
from deepcolor.version import __version__
from tests.infra.template import TEMPLATE

if TYPE_CHECKING:
    from deepcolor import Colorizer

DOCS = Path(__file__).parent
PICTURES = DOCS / "pictures"
SHOWN = ("killarney-1910", "girls-1860", "dust-bowl", "bessborough-1908")
HEIGHT, GAP = 300, 10  # pixels
GROUP, FACES, CLOSELY = "dust-bowl", (20, 40, 440, 250), 768

INTRODUCTION = """\
# The command line

<!-- Made by `make docs` from the commands themselves. -->

**What is colored.** A folder means every photograph below it. A pattern means every photograph that
it matches. Both pass over:

- hidden files and contact sheets;
- results that an earlier run put beside their originals, by whichever installed strategy. (Results
  in a folder of their own are photographs like any other.)

Linked folders are not entered. A single file that you name is colored whatever it is called.

**What is written.** Several strategies give one result each, and `--compare` a contact sheet of
all. The name after `-o` is a file's if it ends in the suffix of a format that deepcolor writes;
that is then the result's format. Otherwise it is a folder's. Files are written whole or not at all.
No original is ever replaced. Nothing else that is there is replaced without `--overwrite`, contact
sheets included.

**What is printed.** Results are named on stdout, failures on stderr. Progress shows on stderr, only
on a terminal. With `--json`, each result is a line: `input`, `output`, `strategy`, `device`,
`skipped`, `width`, `height`, `milliseconds` by stage, and `error` with `code` and `message`, or
null.
"""


PARAMETERS = """\
# The template's parameters

<!-- Made by `make docs` from template.yaml. -->

`make deploy DEPLOY="--parameter Name=value"` sets one. `Worker` is set by `--worker`, as
[On AWS](aws.md) says.

| parameter | default | what it is |
|---|---|---|
"""


def command_line_page() -> str:
    """docs/command-line.md."""
    return INTRODUCTION + "".join(_sections("deepcolor", main, None))


def _sections(name: str, command: click.Command, parent: click.Context | None) -> list[str]:
    context = command.make_context(
        name.rpartition(" ")[2], [], parent, resilient_parsing=True, terminal_width=80
    )
    sections = [f"\n## {name}\n\n```text\n{command.get_help(context)}\n```\n"]
    if isinstance(command, click.Group):
        for child in command.list_commands(context):
            found = command.get_command(context, child)
            assert found is not None
            sections += _sections(f"{name} {child}", found, context)
    return sections


def parameters_page() -> str:
    """docs/parameters.md."""
    lines = [PARAMETERS]
    for name, one in TEMPLATE["Parameters"].items():
        default = f"`{one['Default']}`" if one.get("Default", "") != "" else ""
        lines.append(f"| `{name}` | {default} | {one['Description']} |\n")
    return "".join(lines)


def draw_pictures() -> None:
    """Each photograph in color, the README's picture of several, and faces looked at closely."""
    import deepcolor

    colorizer = deepcolor.load()
    _draw_faces(colorizer)
    columns = []
    for path in sorted(PICTURES.glob("*.gray.jpg")):
        colored = path.with_name(path.name.replace(".gray.", ".color."))
        colored.write_bytes(colorizer.file(path).content)
        if path.name.removesuffix(".gray.jpg") in SHOWN:
            columns.append([_scaled(path), _scaled(colored)])
    columns.sort(key=lambda column: column[0].width)
    width = sum(gray.width for gray, _ in columns) + GAP * (len(columns) - 1)
    sheet = Image.new("RGB", (width, 2 * HEIGHT + GAP), "white")
    left = 0
    for gray, color in columns:
        sheet.paste(gray, (left, 0))
        sheet.paste(color, (left, HEIGHT + GAP))
        left += gray.width + GAP
    _save(sheet, "before-after")


def _draw_faces(colorizer: Colorizer) -> None:
    """Some people of a group as they come out as usual, and beside them at another size."""
    group = Image.open(PICTURES / f"{GROUP}.gray.jpg")
    usual, closely = (
        colorizer(group, size=size).crop(FACES) for size in (colorizer.card.size, CLOSELY)
    )
    pair = Image.new("RGB", (2 * usual.width + GAP, usual.height), "white")
    pair.paste(usual, (0, 0))
    pair.paste(closely, (usual.width + GAP, 0))
    _save(pair, "faces")


def _save(picture: Image.Image, name: str) -> None:
    mark = xmp.mark(f"deepcolor {__version__}")
    picture.save(PICTURES / f"{name}.jpg", quality=88, optimize=True, xmp=mark)


def _scaled(path: Path) -> Image.Image:
    with Image.open(path) as image:
        return image.convert("RGB").resize((round(image.width * HEIGHT / image.height), HEIGHT))


if __name__ == "__main__":
    (DOCS / "command-line.md").write_text(command_line_page())
    (DOCS / "parameters.md").write_text(parameters_page())
    draw_pictures()
