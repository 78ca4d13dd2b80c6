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
        hints=True,
    )

    def predict(self, l, knobs, hints):
        import torch
        import torch.nn.functional as F

        warmth = (l - 50) / 50 * knobs["strength"]
        ab = torch.cat((4 * warmth, 14 * warmth), dim=1)
        if hints is not None:
            known, mask = hints[:, :2], hints[:, 2:]
            near = F.avg_pool2d(mask, 41, stride=1, padding=20)  # the share of hints around
            tint = F.avg_pool2d(known * mask, 41, stride=1, padding=20) / near.clamp_min(1e-6)
            ab = torch.where(near > 0, tint, ab)
        return ab
