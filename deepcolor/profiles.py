"""ICC profiles: what codes made under one are in sRGB."""

from __future__ import annotations

import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageCms


def in_srgb(image: Image.Image, profile: bytes | None) -> Image.Image:
    """Mode ``L`` or ``RGB`` in sRGB; a profile that makes no sense is passed over."""
    if image.mode == "P":
        image = image.convert("RGB")
    if profile and image.mode in {"L", "RGB", "CMYK"}:
        converted = _converted(image, profile)
        if converted is not None:
            return converted.getchannel("G") if image.mode == "L" else converted
    mode = "L" if image.mode in {"L", "1", "LA"} else "RGB"
    return image if image.mode == mode else image.convert(mode)


def deep_in_srgb(codes: NDArray[np.uint16], profile: bytes | None) -> NDArray[np.uint16]:
    """Sixteen-bit gray (H, W) in sRGB; a profile that makes no sense is passed over.

    What comes out of Pillow has eight bits. Where among the 65,536 codes it rises from one to the
    next tells the curve within a few codes of sixteen bits; of a profile of colors, for which
    Pillow takes no more than 256 codes, within half a code of eight.
    """
    if not profile:
        return codes
    ramp = np.arange(1 << 16, dtype=np.uint16)
    asked = np.arange(256, dtype=np.uint8) if _is_of_colors(profile) else ramp
    converted = _converted(Image.fromarray(asked[None]), profile)
    if converted is None:
        return codes
    step = ramp[-1] / asked[-1]
    of_ramp = np.asarray(converted)[0, :, 1].astype(np.float64)
    rises = np.flatnonzero(np.diff(of_ramp))
    levels = np.array([of_ramp[0], *(of_ramp[rises] + of_ramp[rises + 1]) / 2, of_ramp[-1]])
    curve = np.interp(ramp, np.array([0, *(rises + 0.5), len(of_ramp) - 1]) * step, levels * 257)
    return np.round(curve).astype(np.uint16)[codes]


def _converted(image: Image.Image, profile: bytes) -> Image.Image | None:
    """Mode ``RGB`` in sRGB, or ``None`` if the profile makes no sense for this image."""
    # Optimized, gray goes through a table that is too coarse for dark codes.
    is_gray = image.mode == "L" or image.mode.startswith("I;16")
    if image.mode == "L" and _is_of_colors(profile):
        image = image.convert("RGB")  # as whoever made the file gray may have left it
    flags = ImageCms.Flags.NOOPTIMIZE if is_gray else ImageCms.Flags.NONE
    try:
        return ImageCms.profileToProfile(
            image,
            ImageCms.ImageCmsProfile(io.BytesIO(profile)),
            ImageCms.createProfile("sRGB"),
            outputMode="RGB",
            flags=flags,
        )
    except (ImageCms.PyCMSError, OSError, ValueError):
        return None


def _is_of_colors(profile: bytes) -> bool:
    return profile[16:20] == b"RGB "
