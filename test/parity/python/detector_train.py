"""Training steps of a Faster or Mask R-CNN by PyTorch, then its detections, for test/parity/detector-training.test.ts.

    python detector_train.py WEIGHTS PLAN.json > run.json

PLAN.json has what detector.py asks for, and:

    dtype           "float32" or "float64"
    trained         pattern of the names of trained tensors
    batch_norm      whether norms with trained weights are over the batch; others are frozen
    rates           learning rate of each step
    weight_decay    0 for norms, whatever this says
    anchor_sample   [count, share of positives] of an image; roi_sample likewise
    train           {"pre_nms", "post_nms"}
    steps           of each step {"images", "objects", "sequences"}: the file of the batch; for each image its objects
                    {"box", "class", "polygons"}; for each image the sequences that rank its anchors and its proposals

Where Detectron2 takes the first of a random permutation, those with the smallest u(id, sequence) are taken. Prints the
losses of each step, what was chosen, the norms of its gradients, and after the last the detections of detector.py.
"""

import json
import re
import sys

import numpy
import pycocotools.mask
import torch
import torch.nn.functional as F
from detector import Detector, read_batch, read_plan, read_weights

MOMENTUM = 0.9


class TrainedDetector(Detector):
    batch_norm = False

    def norm(self, x, name):
        parts = [self.weights[f"{name}.{part}"] for part in ("running_mean", "running_var", "weight", "bias")]
        if not (self.batch_norm and parts[2].requires_grad):
            return super().norm(x, name)
        return F.batch_norm(x, *parts, training=True, momentum=0.1, eps=1e-5)

    def losses(self, images, objects, sequences):
        levels = self.pyramid(images)
        outputs = self.rpn(levels)
        anchors = torch.cat([level_anchors for level_anchors, _, _ in outputs])
        logits = torch.cat([level_logits for _, level_logits, _ in outputs], 1)
        deltas = torch.cat([level_deltas for _, _, level_deltas in outputs], 1)
        rpn = [
            self.rpn_losses(anchors, logits[i], deltas[i], objects[i], sequences[i][0])
            for i in range(len(images))
        ]
        regions = [self.sample(outputs, i, objects[i], sequences[i][1]) for i in range(len(images))]
        total = self.plan["anchor_sample"][0] * len(images)
        losses = {
            **self.box_losses(levels, regions),
            "loss_rpn_cls": sum(loss for loss, _, _ in rpn) / total,
            "loss_rpn_loc": sum(loss for _, loss, _ in rpn) / total,
        }
        if self.has_masks():
            losses["loss_mask"] = self.mask_loss(levels, regions)
        return losses, [{"anchors": chosen, **region["chosen"]} for (_, _, chosen), region in zip(rpn, regions)]

    def rpn_losses(self, anchors, logits, deltas, objects, sequence):
        boxes = torch.tensor([entry["box"] for entry in objects], dtype=anchors.dtype)
        # In float32 with every operation rounded: which anchors tie for an object's best depends on it.
        iou = pairwise_iou(boxes.float(), anchors.float())
        best, matched = iou.max(0)
        labels = torch.full_like(matched, -1)
        labels[best < 0.3] = 0
        labels[best >= 0.7] = 1
        labels[(iou == iou.max(1, keepdim=True).values).any(0)] = 1
        count, share = self.plan["anchor_sample"]
        positive, negative = choose(labels, torch.arange(len(labels)), sequence, count, share)
        chosen = torch.cat([positive, negative])
        classification = F.binary_cross_entropy_with_logits(
            logits[chosen], (labels[chosen] == 1).to(logits), reduction="sum"
        )
        targets = encode(anchors[positive], boxes[matched[positive]], (1, 1, 1, 1))
        return classification, (deltas[positive] - targets).abs().sum(), chosen.tolist()

    @torch.no_grad()
    def sample(self, outputs, image, objects, sequence):
        plan, self.plan = self.plan, {**self.plan, **self.plan["train"]}
        proposals, anchors = self.propose(outputs, image)
        self.plan = plan
        boxes = torch.tensor([entry["box"] for entry in objects], dtype=proposals.dtype)
        candidates = torch.cat([proposals, boxes])
        count = sum(len(level_anchors) for level_anchors, _, _ in outputs)
        ids = torch.cat([anchors, count + torch.arange(len(objects))])
        best, matched = pairwise_iou(boxes, candidates).max(0)
        foreground, background = choose((best >= 0.5).long(), ids, sequence, *plan["roi_sample"])
        chosen = torch.cat([foreground, background])
        own = [objects[i] for i in matched[foreground]]
        return {
            "boxes": candidates[chosen],
            "foreground": len(foreground),
            "classes": [entry["class"] for entry in own] + [self.classes] * len(background),
            "targets": encode(candidates[foreground], boxes[matched[foreground]], (10, 10, 5, 5)),
            "masks": [draw(entry["polygons"], box) for entry, box in zip(own, candidates[foreground].tolist())],
            "chosen": {"proposals": anchors.tolist(), "regions": ids[chosen].tolist()},
        }

    def box_losses(self, levels, regions):
        pooled = [self.pool(levels, i, region["boxes"], 7) for i, region in enumerate(regions)]
        logits, deltas = self.box_outputs(torch.cat(pooled))
        classes = torch.tensor([c for region in regions for c in region["classes"]])
        rows = (classes < self.classes).nonzero()[:, 0]
        off = deltas[rows, classes[rows]] - torch.cat([region["targets"] for region in regions])
        return {"loss_cls": F.cross_entropy(logits, classes), "loss_box_reg": off.abs().sum() / len(classes)}

    def mask_loss(self, levels, regions):
        pooled = [
            self.pool(levels, i, region["boxes"][: region["foreground"]], 14) for i, region in enumerate(regions)
        ]
        classes = [c for region in regions for c in region["classes"][: region["foreground"]]]
        logits = self.mask_logits(torch.cat(pooled), torch.tensor(classes))
        targets = numpy.stack([mask for region in regions for mask in region["masks"]])
        return F.binary_cross_entropy_with_logits(logits, torch.from_numpy(targets).to(logits))


def pairwise_iou(first, second):
    """[first, second]; 0 where boxes are apart."""
    low = torch.maximum(first[:, None, :2], second[None, :, :2])
    high = torch.minimum(first[:, None, 2:], second[None, :, 2:])
    shared = (high - low).clamp(min=0).prod(2)
    areas = [(boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1]) for boxes in (first, second)]
    iou = shared / (areas[0][:, None] + areas[1][None] - shared)
    return torch.where(shared > 0, iou, torch.zeros_like(iou))


def encode(sources, targets, weights):
    size, target_size = sources[:, 2:] - sources[:, :2], targets[:, 2:] - targets[:, :2]
    shift = (targets[:, :2] + target_size / 2 - sources[:, :2] - size / 2) / size
    return torch.cat([shift, (target_size / size).log()], 1) * sources.new_tensor(weights)


def choose(labels, ids, sequence, count, share):
    """Positions of positives and negatives, each by rank."""
    ranks = u(ids.numpy(), sequence)

    def first(label, most):
        members = (labels == label).nonzero()[:, 0]
        return members[ranks[members.numpy()].argsort(kind="stable")[:most]]

    positive = first(1, int(count * share))
    return positive, first(0, count - len(positive))


def u(i, sequence):
    """The hash of a counter, in [0, 1)."""
    low = numpy.uint64(0xFFFFFFFF)
    x = (i.astype(numpy.uint64) + numpy.uint64(sequence * 0x9E3779B9 % 2**32)) & low
    for shift, factor in ((16, 0x7FEB352D), (15, 0x846CA68B)):
        x ^= x >> numpy.uint64(shift)
        x = x * numpy.uint64(factor) & low
    return (x ^ x >> numpy.uint64(16)) / 2**32


def draw(polygons, box):
    """The outline inside a box, [28, 28]."""
    scale = [28 / max(box[2 + axis] - box[axis], 0.1) for axis in (0, 1)]
    moved = [[(v - box[i % 2]) * scale[i % 2] for i, v in enumerate(part)] for part in polygons]
    parts = pycocotools.mask.frPyObjects(moved, 28, 28)
    return pycocotools.mask.decode(pycocotools.mask.merge(parts))


def main():
    plan = read_plan(sys.argv[2])
    dtype = getattr(torch, plan["dtype"])
    weights = read_weights(sys.argv[1], dtype)
    buffers_of_norms = re.compile("running_|num_batches_tracked")
    trained = [
        name for name in weights if re.search(plan["trained"], name) and not buffers_of_norms.search(name)
    ]
    for name in trained:
        weights[name].requires_grad_()
    buffers = {name: torch.zeros_like(weights[name]) for name in trained}
    detector = TrainedDetector(weights, plan)
    detector.batch_norm = plan["batch_norm"]
    steps = []
    for rate, step in zip(plan["rates"], plan["steps"]):
        images = read_batch({**plan, "images": step["images"]}, dtype)
        losses, chosen = detector.losses(images, step["objects"], step["sequences"])
        sum(losses.values()).backward()
        norms = {name: weights[name].grad.norm().item() for name in trained}
        with torch.no_grad():
            for name in trained:
                decay = 0 if ".norm." in name else plan["weight_decay"]
                buffers[name] = MOMENTUM * buffers[name] + weights[name].grad + decay * weights[name]
                weights[name] -= rate * buffers[name]
                weights[name].grad = None
        losses = {name: loss.item() for name, loss in losses.items()}
        steps.append({"losses": losses, "chosen": chosen, "grad_norm": norms})
    detector.batch_norm = False
    with torch.inference_mode():
        detections = detector.detect(read_batch(plan, dtype))
    json.dump({"steps": steps, "detections": detections}, sys.stdout)


if __name__ == "__main__":
    main()
