"""Detections of a Faster or Mask R-CNN with FPN by PyTorch, for test/parity/detector.test.ts
and, in training, detector_train.py.

    python detector.py WEIGHTS PLAN.json

WEIGHTS is a Detectron2 file (.pkl). What the network looks like is read from names and shapes: depth, norms, channels,
heads, classes. PLAN.json has what they do not tell:

    images          file of the batch, uint8 NHWC, red first, padded with zeros
    shape           [N, H, W]
    sizes           [[height, width], ...] of the images in it
    outputs         [[height, width], ...] that detections are scaled to
    anchor_sizes    [5] of each level, pixels
    weights_style   "torch": red first, divided by deviations, stride in the 3x3 layer of a bottleneck; "msra": blue first, not
                    divided, stride in its first 1x1 layer
    pre_nms, post_nms, score_threshold, keep

Prints a JSON array with a list of {"box", "score", "class", "counts"} for each image, highest score first; counts are the
run lengths of the pasted mask, down the columns, zeros first.

Written from the definitions, operation by operation: no torchvision, nothing of what it is compared with. In float64, so
that differences are those of the other side.
"""

import json
import math
import pickle
import sys

import numpy
import torch
import torch.nn.functional as F

EPSILON = 1e-5
LARGEST_GROWTH = math.log(1000 / 16)


MEAN = (123.675, 116.28, 103.53)
DEVIATION = (58.395, 57.12, 57.375)


def read_weights(path, dtype=torch.float64):
    with open(path, "rb") as file:
        model = pickle.load(file)["model"]
    return {name: torch.from_numpy(numpy.asarray(array)).to(dtype) for name, array in model.items()}


def read_plan(path):
    with open(path) as file:
        return json.load(file)


def read_batch(plan, dtype=torch.float64):
    """[N, 3, H, W], normalised; 0 outside the images."""
    pixels = numpy.fromfile(plan["images"], numpy.uint8).reshape(*plan["shape"], 3)
    values = torch.from_numpy(pixels).double() - torch.tensor(MEAN).double()
    values = values.flip(3) if plan["weights_style"] == "msra" else values / torch.tensor(DEVIATION).double()
    batch = torch.zeros_like(values)
    for image, (height, width) in enumerate(plan["sizes"]):
        batch[image, :height, :width] = values[image, :height, :width]
    return batch.permute(0, 3, 1, 2).to(dtype)


class Detector:
    def __init__(self, weights, plan):
        self.weights = weights
        self.plan = plan
        self.classes = len(weights["roi_heads.box_predictor.cls_score.bias"]) - 1

    # Layers

    def conv(self, x, name, stride=1, padding=0):
        weights = self.weights
        x = F.conv2d(x, weights[f"{name}.weight"], weights.get(f"{name}.bias"), stride, padding)
        return self.norm(x, f"{name}.norm") if f"{name}.norm.weight" in weights else x

    def norm(self, x, name):
        scale, shift, mean, variance = (
            self.weights[f"{name}.{part}"][None, :, None, None]
            for part in ("weight", "bias", "running_mean", "running_var")
        )
        return (x - mean) / (variance + EPSILON).sqrt() * scale + shift

    def linear(self, x, name):
        return F.linear(x, self.weights[f"{name}.weight"], self.weights[f"{name}.bias"])

    def count(self, pattern, first):
        """How many layers `pattern` names, counted from `first`."""
        number = first
        while f"{pattern.format(number)}.weight" in self.weights:
            number += 1
        return number - first

    # Backbone and neck

    def block(self, x, name, stride):
        shortcut = x
        if f"{name}.shortcut.weight" in self.weights:
            shortcut = self.conv(x, f"{name}.shortcut", stride)
        if f"{name}.conv3.weight" in self.weights:
            first, second = (stride, 1) if self.plan["weights_style"] == "msra" else (1, stride)
            y = self.conv(x, f"{name}.conv1", first).relu()
            y = self.conv(y, f"{name}.conv2", second, 1).relu()
            y = self.conv(y, f"{name}.conv3")
        else:
            y = self.conv(x, f"{name}.conv1", stride, 1).relu()
            y = self.conv(y, f"{name}.conv2", 1, 1)
        return (y + shortcut).relu()

    def pyramid(self, images):
        x = self.conv(images, "backbone.bottom_up.stem.conv1", 2, 3).relu()
        x = F.max_pool2d(x, 3, 2, 1)
        laterals = []
        for stage in range(2, 6):
            name = f"backbone.bottom_up.res{stage}"
            for block in range(self.count(name + ".{}.conv1", 0)):
                x = self.block(x, f"{name}.{block}", 2 if stage > 2 and block == 0 else 1)
            laterals.append(self.conv(x, f"backbone.fpn_lateral{stage}"))
        for below, above in ((2, 3), (1, 2), (0, 1)):
            larger = laterals[above].repeat_interleave(2, 2).repeat_interleave(2, 3)
            laterals[below] = laterals[below] + larger
        levels = [self.conv(y, f"backbone.fpn_output{i + 2}", 1, 1) for i, y in enumerate(laterals)]
        return [*levels, levels[3][:, :, ::2, ::2]]

    # Proposals

    def rpn(self, levels):
        """Of each level anchors [H W 3, 4], logits [N, H W 3] and deltas [N, H W 3, 4]."""
        head = "proposal_generator.rpn_head"
        outputs = []
        for level, features in enumerate(levels):
            hidden = self.conv(features, f"{head}.conv", 1, 1).relu()
            logits = self.conv(hidden, f"{head}.objectness_logits")
            deltas = self.conv(hidden, f"{head}.anchor_deltas")
            n, kinds, height, width = logits.shape
            logits = logits.permute(0, 2, 3, 1).reshape(n, -1)
            deltas = deltas.view(n, kinds, 4, height, width).permute(0, 3, 4, 1, 2).reshape(n, -1, 4)
            anchors = anchors_of(self.plan["anchor_sizes"][level], 4 << level, height, width)
            outputs.append((anchors.to(features), logits, deltas))
        return outputs

    def propose(self, outputs, image):
        """Boxes [P, 4] and anchors [P] of an image's proposals, best first."""
        boxes, logits, ids, first = [], [], [], 0
        for anchors, level_logits, deltas in outputs:
            order = level_logits[image].argsort(descending=True, stable=True)[: self.plan["pre_nms"]]
            level_boxes = decode(anchors[order], deltas[image][order], (1, 1, 1, 1))
            level_boxes = clip(level_boxes, self.plan["sizes"][image])
            filled = has_area(level_boxes)
            level_boxes, order = level_boxes[filled], order[filled]
            kept = suppress(level_boxes, level_logits[image][order], 0.7)
            boxes.append(level_boxes[kept])
            logits.append(level_logits[image][order[kept]])
            ids.append(order[kept] + first)
            first += len(anchors)
        best = torch.cat(logits).argsort(descending=True, stable=True)[: self.plan["post_nms"]]
        return torch.cat(boxes)[best], torch.cat(ids)[best]

    # Heads

    def pool(self, levels, image, boxes, bins):
        """[R, C, bins, bins] of the boxes of an image."""
        rows = []
        for box in boxes:
            side = ((box[2] - box[0]) * (box[3] - box[1])).sqrt().item()
            level = min(5, max(2, math.floor(4 + math.log2(side / 224 + 1e-8)))) - 2
            rows.append(roi_align(levels[level][image], box.tolist(), 4 << level, bins))
        return torch.stack(rows) if rows else levels[0].new_zeros(0, levels[0].shape[1], bins, bins)

    def box_outputs(self, pooled):
        """Logits [R, K + 1] and deltas [R, K, 4]."""
        head, predictor = "roi_heads.box_head", "roi_heads.box_predictor"
        x = pooled
        for i in range(1, self.count(head + ".conv{}", 1) + 1):
            x = self.conv(x, f"{head}.conv{i}", 1, 1).relu()
        x = x.flatten(1)
        for i in range(1, self.count(head + ".fc{}", 1) + 1):
            x = self.linear(x, f"{head}.fc{i}").relu()
        deltas = self.linear(x, f"{predictor}.bbox_pred").view(len(x), self.classes, 4)
        return self.linear(x, f"{predictor}.cls_score"), deltas

    def mask_logits(self, pooled, classes):
        """[R, 28, 28] of one class for each region."""
        head = "roi_heads.mask_head"
        x = pooled
        for i in range(1, self.count(head + ".mask_fcn{}", 1) + 1):
            x = self.conv(x, f"{head}.mask_fcn{i}", 1, 1).relu()
        deconv = self.weights[f"{head}.deconv.weight"], self.weights[f"{head}.deconv.bias"]
        x = F.conv_transpose2d(x, *deconv, stride=2).relu()
        return self.conv(x, f"{head}.predictor")[torch.arange(len(x)), classes]

    def has_masks(self):
        return "roi_heads.mask_head.predictor.weight" in self.weights

    # Detections

    def detect_boxes(self, levels, image, proposals):
        logits, deltas = self.box_outputs(self.pool(levels, image, proposals, 7))
        scores = logits.softmax(1)[:, :-1]
        boxes = decode(proposals[:, None].expand(-1, self.classes, -1), deltas, (10, 10, 5, 5))
        boxes = clip(boxes, self.plan["sizes"][image])
        rows, classes = (scores > self.plan["score_threshold"]).nonzero(as_tuple=True)
        boxes, scores = boxes[rows, classes], scores[rows, classes]
        kept = torch.zeros(len(scores), dtype=torch.bool)
        for category in classes.unique():
            members = (classes == category).nonzero()[:, 0]
            kept[members[suppress(boxes[members], scores[members], 0.5)]] = True
        order = scores.argsort(descending=True, stable=True)
        order = order[kept[order]][: self.plan["keep"]]
        return boxes[order], scores[order], classes[order]

    def detect(self, images):
        levels = self.pyramid(images)
        outputs = self.rpn(levels)
        found = []
        for image in range(len(images)):
            proposals, _ = self.propose(outputs, image)
            boxes, scores, classes = self.detect_boxes(levels, image, proposals)
            masks = None
            if self.has_masks():
                masks = self.mask_logits(self.pool(levels, image, boxes, 14), classes).sigmoid()
            found.append(self.output(image, boxes, scores, classes, masks))
        return found

    def output(self, image, boxes, scores, classes, masks):
        (height, width), target = self.plan["sizes"][image], self.plan["outputs"][image]
        scale = boxes.new_tensor([target[1] / width, target[0] / height] * 2)
        boxes = clip(boxes * scale, target)
        detections = []
        for i in has_area(boxes).nonzero()[:, 0].tolist():
            entry = {"box": boxes[i].tolist(), "score": scores[i].item(), "class": classes[i].item()}
            if masks is not None:
                entry["counts"] = run_lengths(paste(masks[i], boxes[i], target))
            detections.append(entry)
        return detections


# Boxes


def anchors_of(size, stride, height, width):
    """[H W 3, 4], row by row; those of a cell are rounded to float32."""
    sides = [(math.sqrt(size * size / ratio), ratio) for ratio in (0.5, 1, 2)]
    cell = torch.tensor([[-w / 2, -w * r / 2, w / 2, w * r / 2] for w, r in sides])
    y, x = torch.meshgrid(torch.arange(height) * stride, torch.arange(width) * stride, indexing="ij")
    centres = torch.stack([x, y, x, y], 2).double()
    return (centres[:, :, None] + cell.double()).view(-1, 4)


def decode(sources, deltas, weights):
    size = sources[..., 2:] - sources[..., :2]
    centre = sources[..., :2] + size / 2
    deltas = deltas / deltas.new_tensor(weights)
    centre = centre + deltas[..., :2] * size
    half = size * deltas[..., 2:].clamp(max=LARGEST_GROWTH).exp() / 2
    return torch.cat([centre - half, centre + half], -1)


def clip(boxes, size):
    height, width = size
    x, y = boxes[..., 0::2].clamp(0, width), boxes[..., 1::2].clamp(0, height)
    return torch.stack([x[..., 0], y[..., 0], x[..., 1], y[..., 1]], -1)


def has_area(boxes):
    return (boxes[:, 2] > boxes[:, 0]) & (boxes[:, 3] > boxes[:, 1])


def suppress(boxes, scores, threshold):
    """Indices that stay, best first."""
    order = scores.argsort(descending=True, stable=True)
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept = []
    while len(order) > 0:
        best, rest = order[0], order[1:]
        kept.append(best.item())
        sides = torch.minimum(boxes[best, 2:], boxes[rest, 2:]) - torch.maximum(boxes[best, :2], boxes[rest, :2])
        shared = sides.clamp(min=0).prod(1)
        order = rest[~(shared / (areas[best] + areas[rest] - shared) > threshold)]
    return torch.tensor(kept, dtype=torch.long)


# Pooling and pasting


def roi_align(features, box, stride, bins):
    """Aligned, with as many samples in a bin as it spans cells, rounded up. [C, bins, bins]"""
    channels, height, width = features.shape
    axes = []
    for low, high, cells in ((box[1], box[3], height), (box[0], box[2], width)):
        start, end = low / stride - 0.5, high / stride - 0.5
        size = (end - start) / bins
        samples = max(math.ceil(size), 1)
        position = start + (torch.arange(bins * samples, dtype=torch.float64) + 0.5) * size / samples
        inside = (position >= -1) & (position <= cells)
        position = position.clamp(0, cells - 1)
        before = position.floor().long()
        rest = (position - before).to(features)
        axes.append((before, (before + 1).clamp(max=cells - 1), rest, inside.to(features), samples))
    (y0, y1, dy, in_y, gy), (x0, x1, dx, in_x, gx) = axes
    rows = features[:, y0] * (1 - dy)[:, None] + features[:, y1] * dy[:, None]
    values = rows[:, :, x0] * (1 - dx) + rows[:, :, x1] * dx
    values = values * in_y[:, None] * in_x
    return values.view(channels, bins, gy, bins, gx).mean((2, 4))


def paste(mask, box, size):
    """The pixels of an image that a soft mask covers, bool [H, W]."""
    x = (torch.arange(size[1], dtype=mask.dtype) + 0.5 - box[0]) / (box[2] - box[0]) * 2 - 1
    y = (torch.arange(size[0], dtype=mask.dtype) + 0.5 - box[1]) / (box[3] - box[1]) * 2 - 1
    grid = torch.stack([x[None].expand(len(y), -1), y[:, None].expand(-1, len(x))], 2)
    return F.grid_sample(mask[None, None], grid[None], align_corners=False)[0, 0] >= 0.5


def run_lengths(mask):
    pixels = numpy.concatenate([[False], mask.numpy().T.reshape(-1)])
    changes = numpy.flatnonzero(pixels[1:] != pixels[:-1])
    return numpy.diff(numpy.concatenate([[0], changes, [len(pixels) - 1]])).tolist()


def main():
    plan = read_plan(sys.argv[2])
    detector = Detector(read_weights(sys.argv[1]), plan)
    with torch.inference_mode():
        found = detector.detect(read_batch(plan))
    json.dump(found, sys.stdout)


if __name__ == "__main__":
    main()
