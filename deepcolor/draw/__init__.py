"""L*a*b* as eight-bit sRGB, over strips of a photograph.

What :mod:`deepcolor.lab` computes exactly, this computes to within one code: compiled where there
was a C compiler when deepcolor was installed, else in NumPy's passes.
"""

from deepcolor.draw import compiled, passes
from deepcolor.draw.canvas import canvas, image_of
from deepcolor.draw.enlarged import Enlarged
from deepcolor.draw.memory import memory

IS_COMPILED = compiled.library is not None
Strip: type[compiled.Strip] | type[passes.Strip] = compiled.Strip if IS_COMPILED else passes.Strip

__all__ = ["IS_COMPILED", "Enlarged", "Strip", "canvas", "image_of", "memory"]
