"""Colors a JPEG with PyPI's rz-colorization, in the virtual environment of its own (.venv/peer).

``python benchmarks/reference.py WEIGHTS PHOTOGRAPH REPEATS`` prints its seconds, a run each.
"""

import json
import sys
import time
from io import BytesIO

import torch
from colorizers import eccv16, load_img, postprocess_tens, preprocess_img
from PIL import Image

weights, photograph, repeats = sys.argv[1:]
network = eccv16(pretrained=False).eval()
network.load_state_dict(torch.load(weights, weights_only=True))


def colorize() -> None:
    pixels = load_img(photograph)
    whole_l, small_l = preprocess_img(pixels, HW=(256, 256))
    with torch.no_grad():
        colored = postprocess_tens(whole_l, network(small_l).cpu())
    Image.fromarray((colored * 255).astype("uint8")).save(BytesIO(), "JPEG", quality=92)


spent = []
for _ in range(int(repeats) + 1):
    start = time.perf_counter()
    colorize()
    spent.append(time.perf_counter() - start)
print(json.dumps(spent[1:]))
