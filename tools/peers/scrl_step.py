"""One optimisation step of SCRL in eager float32 PyTorch on the CPU: the peer of `npm run bench -- step`.

    python scrl_step.py run   --layout nchw --threads 2 --batch 8 --side 224 --warmup 2 --steps 5
    python scrl_step.py serve --layout channels_last ...     answers `step N` on standard input (serving.py)

The step is the reference's: both branches, side classifier, backward, LARS on SGD, moving average of the target; full
sizes (heads 4096 -> 256, 1000 classes, 10 boxes per view). `nchw` runs as the reference does, loops over parameters
included; `channels_last` is the same step tuned. Views, boxes and labels are drawn once and lie in memory.
"""

import argparse
import json
import statistics
import sys
import time

from serving import peak_rss_mb, say, serve

try:
    import torch
except ImportError as error:
    say({"absent": str(error)})
    sys.exit(0)

from torch.nn import functional

from scrl_model import STRIDE, Classifier, Head, Network, consistency_loss, roi_align_weights
from scrl_solver import Solver, average_as_lists, average_one_by_one

BOXES = 10
CLASSES = 1000
BASE_RATE = 0.45
EMA_DECAY = 0.97


class ScrlStep:
    def __init__(self, layout, hidden=4096, outputs=256, classes=CLASSES):
        tuned = layout == "channels_last"
        self.memory_format = torch.channels_last if tuned else torch.contiguous_format
        self.online = Network(hidden, outputs).to(memory_format=self.memory_format)
        self.target = Network(hidden, outputs).to(memory_format=self.memory_format).requires_grad_(False)
        self.predictor = Head(outputs, hidden, outputs)
        self.classifier = Classifier(classes)
        self.solver = Solver([self.online, self.predictor, self.classifier], lists=tuned)
        self.average = average_as_lists if tuned else average_one_by_one

    def __call__(self, views, roi_weights, labels, rate, m):
        """views [2N, 3, side, side], roi_weights [2N, K, S], labels [2N] -> loss, cross-entropy of the classifier"""
        projections, pooled = self.online(views, roi_weights)
        predictions = self.predictor(projections)
        with torch.no_grad():
            targets, _ = self.target(views, roi_weights)
        loss = consistency_loss(predictions, targets)
        cross_entropy = functional.cross_entropy(self.classifier(pooled.detach()), labels)
        self.solver.zero_grad()
        (loss + cross_entropy).backward()
        self.solver.step(rate)
        self.average(list(self.target.parameters()), list(self.online.parameters()), m)
        return loss.item(), cross_entropy.item()


def synthetic_batch(batch, side, memory_format):
    views = torch.randn(2 * batch, 3, side, side).to(memory_format=memory_format)
    sides = STRIDE + torch.rand(2 * batch, BOXES, 2) * (side / 2 - STRIDE)
    corners = torch.rand(2 * batch, BOXES, 2) * (side - sides)
    roi_weights = roi_align_weights(torch.cat([corners, corners + sides], -1), -(-side // STRIDE))
    return views, roi_weights, torch.randint(CLASSES, (batch,)).repeat(2)


def main():
    arguments = parse_arguments()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(1)
    step = ScrlStep(arguments.layout)
    views, roi_weights, labels = synthetic_batch(arguments.batch, arguments.side, step.memory_format)
    rate = BASE_RATE * arguments.batch / 256
    losses = []

    def run(count):
        times = []
        for _ in range(count):
            start = time.perf_counter()
            losses.append(step(views, roi_weights, labels, rate, EMA_DECAY))
            times.append((time.perf_counter() - start) * 1000)
        return times

    if arguments.mode == "serve":
        versions = {"python": sys.version.split()[0], "torch": torch.__version__}
        serve("step", run, {"versions": versions, "threads": torch.get_num_threads()})
        return
    run(arguments.warmup)
    times = run(arguments.steps)
    print(json.dumps({
        "layout": arguments.layout, "batch": arguments.batch, "side": arguments.side, "step_ms": times,
        "median_ms": statistics.median(times), "peak_rss_mb": peak_rss_mb(), "torch": torch.__version__,
        "threads": torch.get_num_threads(), "loss": [loss for loss, _ in losses],
        "cross_entropy": [value for _, value in losses],
    }))


def parse_arguments():
    parser = argparse.ArgumentParser(description="One step of SCRL in PyTorch, timed.")
    parser.add_argument("mode", nargs="?", choices=["run", "serve"], default="run")
    parser.add_argument("--layout", choices=["nchw", "channels_last"], default="nchw")
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    parser.add_argument("--batch", type=int, default=8, help="images; each has two views")
    parser.add_argument("--side", type=int, default=224)
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--steps", type=int, default=5)
    arguments = parser.parse_args()
    if arguments.side < 2 * STRIDE:
        parser.error(f"--side must be at least {2 * STRIDE}")
    return arguments


if __name__ == "__main__":
    main()
