"""Pillow's resizing, for test/parity/resize.test.ts.

    python resize.py FOLDER       reads in.json, writes out.json

`noise` holds [[width, height], [new width, new height], seed] lists and gets the SHA-256 of each result, [bilinear, nearest];
`files` holds names and gets that of each file, turned upright and resized to `size` as Detectron2 does.
"""

import hashlib
import json
import sys

import numpy as np
from PIL import Image, ImageOps


def noise(width, height, seed):
    """Byte i is the highest of the 32 bits (i + seed) * 2654435761."""
    i = np.arange(width * height * 3, dtype=np.uint64) + np.uint64(seed)
    return ((i * np.uint64(2654435761) & np.uint64(0xFFFFFFFF)) >> np.uint64(24)).astype(np.uint8)


def digests(case):
    (width, height), size, seed = case
    image = Image.fromarray(noise(width, height, seed).reshape(height, width, 3))
    resized = [image.resize(size, method) for method in (Image.BILINEAR, Image.NEAREST)]
    return [digest(result) for result in resized]


def file_digest(path, size):
    image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
    return digest(image.resize(size, Image.BILINEAR))


def digest(image):
    return hashlib.sha256(np.asarray(image).tobytes()).hexdigest()


folder = sys.argv[1]
with open(f"{folder}/in.json") as file:
    data = json.load(file)
out = {
    "noise": [digests(case) for case in data["noise"]],
    "files": [file_digest(f"{folder}/{name}", data["size"]) for name in data["files"]],
}
with open(f"{folder}/out.json", "w") as file:
    json.dump(out, file)
