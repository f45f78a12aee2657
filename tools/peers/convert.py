"""Converts torchvision's ResNet to Detectron2, the peer of `npm run bench -- convert`.

    python convert.py IN.pth OUT.pkl        prints {"output": {"tensors": N}}
"""

import json
import pickle
import re
import sys

import torch

RENAMES = [
    (r"^conv1\.", "stem.conv1."),
    (r"^bn1\.", "stem.conv1.norm."),
    (r"^layer(\d)\.", lambda match: f"res{int(match[1]) + 1}."),
    (r"\.bn(\d)\.", r".conv\1.norm."),
    (r"\.downsample\.0\.", ".shortcut."),
    (r"\.downsample\.1\.", ".shortcut.norm."),
]

model = {}
for name, tensor in torch.load(sys.argv[1], map_location="cpu", weights_only=True).items():
    if name.startswith("fc."):
        continue
    for pattern, replacement in RENAMES:
        name = re.sub(pattern, replacement, name)
    model[name] = tensor.numpy()
with open(sys.argv[2], "wb") as file:
    pickle.dump({"model": model, "__author__": "peer", "matching_heuristics": True}, file)
print(json.dumps({"output": {"tensors": len(model)}}))
