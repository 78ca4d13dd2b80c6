"""Split toning as darkrooms knew it: cool shadows, warm lights. No network at all."""

from deepcolor import Knob, License, Strategy, StrategyCard


class SplitTone(Strategy):
    card = StrategyCard(
        name="splittone",
        title="Split toning",
        description="Cool shadows and warm lights, as from a darkroom.",
        url="https://en.wikipedia.org/wiki/Photographic_print_toning",
        license=License(code="Apache-2.0", weights="none"),
        training_data="none",
        size=256,
        knobs=(Knob("strength", "how far the tones part", low=0, default=1, high=3),),
    )

    def predict(self, l, knobs):
        import torch

        warmth = (l - 50) / 50 * knobs["strength"]
        return torch.cat((4 * warmth, 14 * warmth), dim=1)
