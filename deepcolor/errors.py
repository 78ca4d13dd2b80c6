"""Every error deepcolor raises: one sentence, a code for machines, an exit code for shells."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

LONGEST_NUMBER = 100  # letters; an int may have more than any float


class DeepcolorError(Exception):
    """Base of all. ``code`` names the kind in records and JSON, ``exit_code`` in shells."""

    code: ClassVar[str] = "error"
    exit_code: ClassVar[int] = 1

    def to_json(self) -> dict[str, str]:
        """``{"code", "message"}``, as records and the command line's JSON carry it."""
        return {"code": self.code, "message": str(self)}

    def __reduce__(self) -> tuple[Any, ...]:
        """How it comes from other processes: with its sentence, which is made already."""
        return _restored, (type(self), self.args)


def _restored(kind: type[DeepcolorError], args: tuple[Any, ...]) -> DeepcolorError:
    return kind.__new__(kind, *args)


def reason(error: Exception) -> str:
    """Why something could not be done, in the words of the system where they are its own."""
    return getattr(error, "strerror", None) or str(error)


class NotAPhotographError(DeepcolorError):
    """The bytes are no image that deepcolor reads."""

    code = "not_a_photograph"

    def __init__(self, name: str):
        super().__init__(
            f"{name} is not a photograph deepcolor can read; it reads JPEG, PNG, WebP, TIFF, BMP, "
            "GIF, AVIF and HEIC."
        )


class TiffKindError(NotAPhotographError):
    """A TIFF, or what begins like one, of a kind that is not read."""

    def __init__(self, name: str):
        DeepcolorError.__init__(
            self,
            f"{name} begins like a TIFF, but of a kind that deepcolor does not read, as cameras' "
            "raw files are; save it as a TIFF of 8-bit RGB, or of gray of 8 or 16 bits.",
        )


class TiffPlanesError(NotAPhotographError):
    """A TIFF whose sixteen-bit colors lie apart, uncompressed."""

    def __init__(self, name: str):
        DeepcolorError.__init__(
            self,
            f"{name} is a TIFF whose sixteen-bit colors lie apart, plane by plane, which deepcolor "
            "does not read uncompressed; save it interleaved, or compressed.",
        )


class HeicNotReadError(NotAPhotographError):
    """The image is HEIC, for which a package is missing."""

    def __init__(self, name: str):
        DeepcolorError.__init__(
            self,
            f"{name} is HEIC, which deepcolor reads with one package more: "
            "run pip install pillow-heif.",
        )


class InputKindError(DeepcolorError):
    """What was given as a photograph is of no kind that can be one."""

    code = "input_kind"
    exit_code = 2

    def __init__(self, kind: str):
        super().__init__(
            f"A photograph cannot be given as {kind}; give a path, the bytes of a file, a file "
            "open in binary mode, a PIL image or an array (H, W), (H, W, 1), (H, W, 3) or "
            "(H, W, 4) of uint8."
        )


class SeveralWantedError(DeepcolorError):
    """What was given where several photographs are wanted is one, or nothing to go through."""

    code = "several_wanted"
    exit_code = 2

    def __init__(self, given: object):
        super().__init__(
            f"Several photographs are given as a list, not as {type(given).__name__}; "
            'give ["a.jpg", "b.jpg"], or ["a.jpg"] for one.'
        )


class JobsRangeError(DeepcolorError):
    """Work can't be shared by so many threads."""

    code = "jobs_out_of_range"
    exit_code = 2

    def __init__(self, jobs: object):
        super().__init__(
            f"jobs must be a whole number of at least 1, not {jobs!r:.40}; "
            "leave it out for one a core."
        )


class DamagedPhotographError(DeepcolorError):
    """The image begins well and then breaks off or makes no sense."""

    code = "damaged_photograph"

    def __init__(self, name: str, reason: str):
        super().__init__(f"{name} is damaged ({reason}); save or copy it again from its source.")


class TooManyPixelsError(DeepcolorError):
    """The image is larger than deepcolor is willing to decode."""

    code = "too_many_pixels"

    def __init__(self, name: str, width: int, height: int, limit: int):
        super().__init__(
            f"{name} has {width} x {height} pixels, more than the {limit / 1e6:g} megapixels "
            "allowed; make it smaller, or allow more: --max-megapixels on the command line, "
            "Colorizer.file(…, reading=deepcolor.Reading(max_pixels=…)) in Python."
        )


class UnknownStrategyError(DeepcolorError):
    """No strategy of that name is installed."""

    code = "unknown_strategy"
    exit_code = 2

    def __init__(self, name: str, known: Iterable[str]):
        import difflib

        known = sorted(known)
        near = difflib.get_close_matches(str(name), known, n=1)
        cure = f"did you mean '{near[0]}'?" if near else f"there are: {', '.join(known)}."
        super().__init__(f"There is no strategy '{name}'; {cure}")


class UnknownKnobError(DeepcolorError):
    """The strategy has no such knob."""

    code = "unknown_knob"
    exit_code = 2

    def __init__(self, strategy: str, knob: str, known: Iterable[str]):
        takes = ", ".join(sorted(known)) or "none"
        super().__init__(f"The strategy '{strategy}' has no knob '{knob}'; it takes: {takes}.")


class KnobRangeError(DeepcolorError):
    """A knob was turned beyond its ends."""

    code = "knob_out_of_range"
    exit_code = 2

    def __init__(self, knob: str, value: object, low: float, high: float):
        kind, told = "", f"{value!r:.40}"
        if not isinstance(value, Real):
            kind = "a number "
        elif len(repr(value)) < LONGEST_NUMBER:
            told = f"{float(value):g}"
        super().__init__(f"{knob} must be {kind}between {low:g} and {high:g}, not {told}.")


class HintFormatError(DeepcolorError):
    """A hint that can't be understood."""

    code = "hint_format"
    exit_code = 2

    def __init__(self, hint: str):
        super().__init__(
            f"The hint {hint:.60} is not understood; write x,y,#rrggbb (pixels from the upper left "
            'corner, a color), in JSON {"x": 120, "y": 80, "color": "#c84b31"}.'
        )


class HintsNotJsonError(HintFormatError):
    """What should hold hints holds no JSON."""

    def __init__(self, name: str, reason: str):
        DeepcolorError.__init__(
            self,
            f"{name} is not valid JSON ({reason}); write hints as "
            '[{"x": 120, "y": 80, "color": "#c84b31"}].',
        )


class HintsKindError(DeepcolorError):
    """What was given as hints, or as one of them, is of another kind."""

    code = "hints_kind"
    exit_code = 2

    def __init__(self, given: object):
        super().__init__(
            "Hints are given as a list of deepcolor.Hint, as in "
            f'hints=[Hint(120, 80, "#c84b31")], not as {given!r:.60}.'
        )


class HintOutsideError(DeepcolorError):
    """A hint that points beside the photograph."""

    code = "hint_outside"

    def __init__(self, hint: str, width: int, height: int):
        super().__init__(
            f"The hint {hint} lies outside the photograph, which has {width} x {height} pixels; "
            "give a pixel inside it, counted from 0 at the upper left corner."
        )


class HintsNotTakenError(DeepcolorError):
    """The strategy can't be guided."""

    code = "hints_not_taken"
    exit_code = 2

    def __init__(self, strategy: str, others: Iterable[str]):
        others = sorted(others)
        cure = f"these do: {', '.join(others)}." if others else "none that is installed does."
        super().__init__(f"The strategy '{strategy}' takes no hints; {cure}")


class StrategyNameTakenError(DeepcolorError):
    """Two installed packages bring a strategy of one name."""

    code = "strategy_name_taken"

    def __init__(self, name: str, first: str, second: str):
        super().__init__(
            f"Both {first} and {second} bring a strategy named '{name}'; uninstall one of them."
        )


class PackageMissingError(DeepcolorError):
    """A strategy needs a package that is not installed."""

    code = "package_missing"
    exit_code = 3

    def __init__(self, strategy: str, problem: str):
        super().__init__(f"The strategy '{strategy}' cannot run here. {problem}")


class StrategyBrokenError(DeepcolorError):
    """A strategy does not do what its interface asks."""

    code = "strategy_broken"

    def __init__(self, strategy: str, problem: str):
        super().__init__(
            f"The strategy '{strategy}' is broken: {problem}; tell whoever made it, "
            "or choose another strategy."
        )


class DeviceMissingError(DeepcolorError):
    """A device was named that this machine lacks."""

    code = "device_missing"
    exit_code = 2

    def __init__(self, device: str, present: Iterable[str]):
        super().__init__(f"There is no device '{device}' here; there are: {', '.join(present)}.")


class WeightsMissingError(DeepcolorError):
    """The weights are not here and could not be fetched."""

    code = "weights_missing"
    exit_code = 3

    def __init__(
        self, strategy: str, filename: str, reason: str, url: str, path: str, *, offline: bool
    ):
        mirror = "" if offline else "name a mirror that has them in DEEPCOLOR_WEIGHTS_URL, or "
        super().__init__(
            f"The weights of '{strategy}' ({filename}) are not here and {reason}; {mirror}"
            f"fetch {url} by other means and put it at {path}."
        )


class WeightsBrokenOffError(WeightsMissingError):
    """A part of the weights is here, and the rest did not come."""

    def __init__(self, strategy: str, filename: str, came: int, total: int, reason: object):
        DeepcolorError.__init__(
            self,
            f"The weights of '{strategy}' ({filename}) are not here yet, for the connection broke "
            f"after {came:,} of {total:,} bytes ({reason}); "
            f"run 'deepcolor weights fetch {strategy}' to go on from there.",
        )


class WeightsFolderError(DeepcolorError):
    """Fetched weights can't be kept where they belong."""

    code = "weights_folder"
    exit_code = 3

    def __init__(self, folder: Path, reason: str):
        super().__init__(
            f"Weights cannot be kept in {folder} ({reason}); "
            "set DEEPCOLOR_HOME to a folder that can be written."
        )


class WeightsCorruptError(DeepcolorError):
    """What was fetched is not what the card promises."""

    code = "weights_corrupt"
    exit_code = 3

    def __init__(self, strategy: str, filename: str, problem: str):
        super().__init__(
            f"The weights of '{strategy}' ({filename}) are not the published ones: {problem}; "
            "nothing was kept, try again later or, if the strategy is yours, correct its card."
        )


class WeightsPackageError(WeightsCorruptError):
    """A package does not carry the weights that its strategy's card means."""

    def __init__(self, strategy: str, path: Path, problem: str):
        DeepcolorError.__init__(
            self,
            f"The weights of '{strategy}' in its package ({path}) are not those of its card: "
            f"{problem}; install the package anew or, if it is yours, see that it is built with "
            "the file and that the card is right.",
        )


class UnreadableFileError(DeepcolorError):
    """A path that was named is not there, or can't be read."""

    code = "unreadable_file"

    def __init__(self, path: str, reason: str):
        super().__init__(
            f"{path} cannot be read: {reason}; "
            "check that it is the one you mean, and that you may read it."
        )


class AddressError(UnreadableFileError):
    """An address of the internet stands where a path belongs."""

    def __init__(self, address: str):
        DeepcolorError.__init__(
            self,
            f"{address} is an address, and photographs are not fetched from there; "
            "download it first and name the file.",
        )

    @staticmethod
    def address(path: str) -> str | None:
        """The address that a path was, before it lost a slash; ``None`` for any other path."""
        scheme, mark, rest = path.partition(":/")
        known = scheme.lower() in {"http", "https", "ftp", "s3", "file"}
        return f"{scheme}://{rest.lstrip('/')}" if mark and known else None


class NotWritableError(DeepcolorError):
    """A result could not be written."""

    code = "not_writable"
    cure: ClassVar[str] = (
        "choose another place, or see that there is room and that you may write there"
    )

    def __init__(self, path: Path, reason: str):
        super().__init__(f"{path} cannot be written: {reason}; {self.cure}.")


class AlreadyThereError(DeepcolorError):
    """A result is there from before."""

    code = "already_there"

    def __init__(self, path: Path):
        super().__init__(
            f"{path} is already there; --overwrite replaces it, --skip-existing passes over it."
        )


class OverwritesInputError(DeepcolorError):
    """A result would take the place of a photograph that was given."""

    code = "overwrites_input"

    def __init__(self, path: Path):
        super().__init__(f"{path} is a photograph to color; its result must go elsewhere.")


class OutsideOutputError(DeepcolorError):
    """A link inside the output folder leads out of it."""

    code = "outside_output"

    def __init__(self, path: Path, folder: Path):
        super().__init__(
            f"{path} lies outside {folder}, for a folder on its way is a link; "
            "name the folder where results belong."
        )


class SameResultError(DeepcolorError):
    """Two photographs would become one file."""

    code = "same_result"

    def __init__(self, first: Path, second: Path, target: Path):
        beside = first.parent == second.parent
        cure = "color it alone, with -o FILE." if beside else "name the folder above both instead."
        super().__init__(f"{second} would become {target}, as {first} does; {cure}")


class OneFileForManyError(DeepcolorError):
    """Several results were to become one file."""

    code = "one_file_for_many"
    exit_code = 2

    def __init__(self, output: str):
        super().__init__(f"{output} names one file, but there are several results; name a folder.")


class NamelessResultError(DeepcolorError):
    """Standard input, whose result was to go into a folder."""

    code = "nameless_result"
    exit_code = 2

    def __init__(self) -> None:
        super().__init__("What comes from standard input has no name; name a file with -o.")


class SuffixNotWrittenError(DeepcolorError):
    """A file that was named ends in what is not written."""

    code = "suffix_not_written"
    exit_code = 2

    def __init__(self, path: str, suffixes: Iterable[str]):
        *others, last = suffixes
        super().__init__(f"{path} must end in {', '.join(others)} or {last} to be written.")


class SuffixAgainstFormatError(DeepcolorError):
    """A file that was named ends in another format than the one that was asked for."""

    code = "suffix_against_format"
    exit_code = 2

    def __init__(self, path: str, wanted: str, suffix: str):
        super().__init__(
            f"{path} is no name for a file of format {wanted}; let it end in {suffix}, or leave "
            "out --format."
        )


class NothingToColorError(DeepcolorError):
    """What was named holds no photographs."""

    code = "nothing_to_color"
    exit_code = 2

    def __init__(self, paths: Iterable[str], suffixes: Iterable[str]):
        super().__init__(
            f"There are no photographs in {', '.join(paths)}; photographs are files that end in "
            f"{', '.join(suffixes)}."
        )


class FormatLimitError(DeepcolorError):
    """The photograph is larger than the format that was asked for can hold."""

    code = "format_limit"

    def __init__(self, width: int, height: int, kind: str, limit: int):
        super().__init__(
            f"A photograph of {width} x {height} pixels cannot be written as {kind}, which holds "
            f"{limit:,} a side; write it as png or tiff."
        )


class FormatNotWrittenError(DeepcolorError):
    """A format was asked for that is not written."""

    code = "format_not_written"
    exit_code = 2

    def __init__(self, wanted: object, written: Iterable[str]):
        super().__init__(
            f"Results cannot be written as {wanted!r:.40}; the formats are {', '.join(written)}."
        )


class QualityRangeError(DeepcolorError):
    """A quality that is none."""

    code = "quality_out_of_range"
    exit_code = 2

    def __init__(self, quality: object, lowest: int, highest: int):
        super().__init__(
            f"quality must be a whole number between {lowest} and {highest}, not {quality!r:.40}."
        )


class UnexpectedError(DeepcolorError):
    """Something failed that should not; the other photographs go on."""

    code = "unexpected"

    def __init__(self, name: str, cause: BaseException):
        super().__init__(
            f"{name} could not be colored ({type(cause).__name__}: {cause}); please report this."
        )


class TooManyForASheetError(DeepcolorError):
    """More photographs than a contact sheet holds."""

    code = "too_many_for_a_sheet"
    exit_code = 2

    def __init__(self, count: int, most: int):
        super().__init__(f"A contact sheet holds {most} photographs, not {count}; give it fewer.")


class SheetPlaceError(DeepcolorError):
    """A contact sheet would take the place of a photograph or of a result."""

    code = "sheet_place"
    exit_code = 2

    def __init__(self, path: Path):
        super().__init__(
            f"{path} is a photograph to color or a result; name another file with --compare."
        )


class ReportPlaceError(DeepcolorError):
    """A report would take the place of what is none."""

    code = "report_place"
    exit_code = 2

    def __init__(self, path: Path):
        super().__init__(
            f"{path} is already there and no page of HTML; name another file with --report."
        )


class NoPhotographsError(DeepcolorError):
    """A folder to measure on holds no photograph."""

    code = "no_photographs"
    exit_code = 2

    def __init__(self, folder: Path):
        super().__init__(f"There are no photographs in {folder}; name a folder of color ones.")
