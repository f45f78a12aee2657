"""Pooled features of a ResNet-50 in eager float32 PyTorch on the CPU: the peer of `npm run bench -- forward`.

    python forward.py --layout nchw --threads 2 --batch 32 --side 224     answers `step N` on standard input (serving.py)
"""

import argparse
import sys
import time

from serving import say, serve

try:
    import torch
except ImportError as error:
    say({"absent": str(error)})
    sys.exit(0)

from scrl_model import Network

parser = argparse.ArgumentParser()
parser.add_argument("--layout", choices=["nchw", "channels_last"], default="nchw")
for name, default in [("batch", 32), ("side", 224), ("threads", 2)]:
    parser.add_argument(f"--{name}", type=int, default=default)
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.manual_seed(0)
layout = torch.channels_last if options.layout == "channels_last" else torch.contiguous_format
encoder = Network(4096, 256).encoder.to(memory_format=layout).eval()
images = torch.randn(options.batch, 3, options.side, options.side).to(memory_format=layout)


def run(count):
    times = []
    with torch.inference_mode():
        for _ in range(count):
            began = time.perf_counter()
            encoder(images).flatten(1)
            times.append((time.perf_counter() - began) * 1000)
    return times


serve("step", run, {"versions": {"torch": torch.__version__}, "threads": torch.get_num_threads()})
