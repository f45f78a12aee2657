"""C5 features by PyTorch, for test/parity/backbone.test.ts.

    python backbone.py MODULE.pth IMAGES.bin FEATURES.bin IMAGES SIDE HIDDEN OUTPUTS

MODULE.pth is the state dict of an online network, or a backbone with torchvision's names; images are float32 NHWC, and so
are the features that are written.
"""

import sys
from pathlib import Path

import numpy
import torch

sys.path.append(str(Path(__file__).parents[3] / "tools" / "peers"))
from scrl_model import Network  # noqa: E402

module, images, features = sys.argv[1:4]
count, side, hidden, outputs = map(int, sys.argv[4:])

network = Network(hidden, outputs)
weights = torch.load(module, weights_only=True)
if "conv1.weight" in weights:
    # The encoder holds torchvision's modules without their names.
    numbers = {"conv1": "0", "bn1": "1", **{f"layer{s}": str(s + 3) for s in range(1, 5)}}
    parts = [(name.split(".", 1), tensor) for name, tensor in weights.items()]
    weights = {f"{numbers[part]}.{rest}": tensor for (part, rest), tensor in parts}
    network.encoder.load_state_dict(weights, strict=True)
else:
    network.load_state_dict(weights, strict=True)
network.eval()
nhwc = numpy.fromfile(images, "<f4").reshape(count, side, side, 3)
with torch.no_grad():
    c5 = network.encoder[:-1](torch.from_numpy(nhwc).permute(0, 3, 1, 2))
c5.permute(0, 2, 3, 1).contiguous().numpy().tofile(features)
