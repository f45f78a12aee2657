"""Pillow's resizing of noise: FOLDER/in.json holds [[width, height], [new width, new height], seed] lists, FOLDER/out.json
gets the SHA-256 of each result, [bilinear, nearest]."""

import hashlib
import json
import sys

import numpy as np
from PIL import Image


def noise(width, height, seed):
    """Byte i is the highest of the 32 bits (i + seed) * 2654435761."""
    i = np.arange(width * height * 3, dtype=np.uint64) + np.uint64(seed)
    return ((i * np.uint64(2654435761) & np.uint64(0xFFFFFFFF)) >> np.uint64(24)).astype(np.uint8)


def digests(case):
    (width, height), size, seed = case
    image = Image.fromarray(noise(width, height, seed).reshape(height, width, 3))
    resized = [image.resize(size, method) for method in (Image.BILINEAR, Image.NEAREST)]
    return [hashlib.sha256(np.asarray(result).tobytes()).hexdigest() for result in resized]


folder = sys.argv[1]
with open(f"{folder}/in.json") as file:
    cases = json.load(file)
with open(f"{folder}/out.json", "w") as file:
    json.dump([digests(case) for case in cases], file)
