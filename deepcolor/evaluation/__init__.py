"""How well strategies color a folder of color photographs: the 256x256 protocol, with baselines.

Each photograph is stretched to 256x256 and made gray; a strategy guesses its colors, and those
are compared with the true ones. The baselines show what a figure is worth: *gray* guesses none,
*constant* one a*b* for the whole folder, and *oracle* knows the truth at 64x64.
"""

from deepcolor.evaluation.evaluate import Evaluation, evaluate

__all__ = ["Evaluation", "evaluate"]
