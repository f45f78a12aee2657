"""C5 features by PyTorch, for test/parity/backbone.test.ts.

    python backbone.py MODULE.pth IMAGES.bin FEATURES.bin IMAGES SIDE HIDDEN OUTPUTS

MODULE.pth is the state dict of an online network; images are float32 NHWC, and so are the features that are written.
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
network.load_state_dict(torch.load(module, weights_only=True), strict=True)
network.eval()
nhwc = numpy.fromfile(images, "<f4").reshape(count, side, side, 3)
with torch.no_grad():
    c5 = network.encoder[:-1](torch.from_numpy(nhwc).permute(0, 3, 1, 2))
c5.permute(0, 2, 3, 1).contiguous().numpy().tofile(features)
