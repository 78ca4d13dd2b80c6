"""Records what the published networks make of the docs' photographs, from random weights.

The tests make the same weights and compare. To record anew, run this from the project's root in an
environment of its own that has the reference code, with the names of the strategies:

    python3.11 -m venv reference
    reference/bin/pip install torch torchvision scikit-image matplotlib ipython rz-colorization \
        opencv-python-headless pandas requests pyyaml beautifulsoup4 fastprogress==1.0.3 \
        setuptools==65.5.0
    git clone https://github.com/jantic/DeOldify reference/DeOldify  # as of 5f86c28
    git clone https://github.com/piddnad/DDColor reference/DDColor  # as of 2adb63f
    PYTHONPATH=.:reference/DeOldify:reference/DDColor reference/bin/python \
        tests/deepcolor/builtin/parity/record.py richzhang siggraph17 ddcolor deoldify
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from tests.deepcolor.builtin.parity.photographs import every, photographs, small_photographs
from tests.deepcolor.builtin.parity.random_weights import GAINS, random_state

HERE = Path(__file__).parent


def richzhang() -> tuple[nn.Module, Iterator[tuple[str, Any]]]:
    from colorizers import eccv16, postprocess_tens, preprocess_img

    net = load(eccv16(pretrained=False), "richzhang")

    def record() -> Iterator[tuple[str, Any]]:
        for name, photograph in photographs().items():
            l, small = preprocess_img(np.asarray(photograph), HW=(256, 256))
            ab = net(small)
            yield name, every(ab[0])
            rgb = postprocess_tens(l, ab).transpose(2, 0, 1)
            yield f"{name} rgb", every(torch.from_numpy(rgb)).float()

    return net, record()


def siggraph17() -> tuple[nn.Module, Iterator[tuple[str, Any]]]:
    from colorizers import preprocess_img
    from colorizers import siggraph17 as reference

    net = load(reference(pretrained=False), "siggraph17")

    def record() -> Iterator[tuple[str, Any]]:
        ab = torch.zeros(1, 2, 256, 256)
        mask = torch.zeros(1, 1, 256, 256)
        ab[0, :, 100:103, 60:63] = torch.tensor([60.0, 40.0])[:, None, None]
        ab[0, :, 30:33, 200:203] = torch.tensor([-20.0, -50.0])[:, None, None]
        mask[0, :, 100:103, 60:63] = mask[0, :, 30:33, 200:203] = 1
        for name, photograph in photographs().items():
            _, l = preprocess_img(np.asarray(photograph), HW=(256, 256))
            yield name, every(net(l)[0])
            yield f"{name} hints", every(net(l, ab, mask)[0])

    return net, record()


def deoldify() -> tuple[nn.Module, Iterator[tuple[str, Any]]]:
    from deoldify.unet import DynamicUnetDeep
    from fastai.layers import NormType
    from fastai.vision import imagenet_stats, models
    from fastai.vision.learner import create_body

    options = {"blur": True, "self_attention": True, "y_range": (-3.0, 3.0), "nf_factor": 1.5}
    body = create_body(models.resnet34, pretrained=False)
    net = load(
        DynamicUnetDeep(body, n_classes=3, norm_type=NormType.Spectral, **options), "deoldify"
    )
    mean, std = (torch.tensor(values)[:, None, None] for values in imagenet_stats)

    def record() -> Iterator[tuple[str, Any]]:
        for name, photograph in small_photographs(144).items():
            rgb = np.asarray(photograph.convert("LA").convert("RGB"), np.float32) / 255
            x = (torch.from_numpy(rgb).permute(2, 0, 1) - mean) / std
            drawn = (net(x[None])[0] * std + mean).clamp(0, 1)
            yield name, every(drawn)

    return net, record()


def ddcolor() -> tuple[nn.Module, Iterator[tuple[str, Any]]]:
    from ddcolor import DDColor

    net = load(
        DDColor(
            "convnext-t",
            num_output_channels=2,
            last_norm="Spectral",
            num_queries=100,
            num_scales=3,
            dec_layers=9,
            input_size=(128, 128),
        ),
        "ddcolor",
    )

    def record() -> Iterator[tuple[str, Any]]:
        for name, photograph in small_photographs(128).items():
            # What the release makes with OpenCV, the gray picture of the photograph's L*, is for a
            # gray photograph itself; OpenCV comes within 0.2 of its L*.
            gray = np.asarray(photograph.convert("RGB"), np.float32) / 255
            yield name, every(net(torch.from_numpy(gray).permute(2, 0, 1)[None])[0])

    return net, record()


def load(net: nn.Module, strategy: str) -> nn.Module:
    shapes = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    net.load_state_dict(random_state(shapes, GAINS[strategy]))
    return net.eval()


def main() -> None:
    for strategy in sys.argv[1:]:
        net, recorded = globals()[strategy]()
        shapes = {name: list(value.shape) for name, value in net.state_dict().items()}
        with torch.inference_mode():
            arrays = {name: np.asarray(value) for name, value in recorded}
        path = HERE / f"{strategy}.npz"
        np.savez_compressed(path, shapes=json.dumps(shapes), **arrays)
        print(f"{path}: {path.stat().st_size:,} bytes")


if __name__ == "__main__":
    main()
