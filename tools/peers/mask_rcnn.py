"""torchvision's Mask R-CNN R50-FPN in eager float32 on the CPU: the peer of `npm run bench -- detect`.

    python mask_rcnn.py --mode train --layout nchw --images 2 --height 480 --width 640 --threads 2
    answers `step N` on standard input (serving.py) with the milliseconds of N training steps, or of N times inference

Sizes, frozen layers, anchors, numbers of proposals, regions and detections are those of `tools/bench/ours-detect.ts`; weights are
random there and here. torchvision's masks are made before the clock starts, ours within it.
"""

import argparse
import sys
import time

from serving import say, serve

try:
    import torch
    import torchvision
    from torchvision.models.detection import MaskRCNN
    from torchvision.models.detection.backbone_utils import resnet_fpn_backbone
    from torchvision.ops import FrozenBatchNorm2d
except ImportError as error:
    say({"absent": str(error)})
    sys.exit(0)

CLASSES = 80
RESIDUAL_SCALE = 0.2
LIKELY = 3.0
COLUMNS, ROWS = 8, 4
OBJECTS = COLUMNS * ROWS


def main():
    options = parse_arguments()
    torch.set_num_threads(options.threads)
    torch.manual_seed(0)
    layout = torch.channels_last if options.layout == "channels_last" else torch.contiguous_format
    model = mask_rcnn(options).to(memory_format=layout)
    images = [torch.rand(3, options.height, options.width) for _ in range(options.images)]
    step = training(model, images, options) if options.mode == "train" else inference(model, images)

    def run(count):
        times = []
        for _ in range(count):
            began = time.perf_counter()
            step()
            times.append((time.perf_counter() - began) * 1000)
        return times

    versions = {"torch": torch.__version__, "torchvision": torchvision.__version__}
    serve("step", run, {"versions": versions, "threads": torch.get_num_threads()})


def mask_rcnn(options):
    """Frozen norms, stem and first stage frozen, as Detectron2's 1x; the images keep their size."""
    backbone = resnet_fpn_backbone(
        backbone_name="resnet50", weights=None, norm_layer=FrozenBatchNorm2d, trainable_layers=3
    )
    model = MaskRCNN(
        backbone, CLASSES + 1, min_size=options.height, max_size=options.width,
        rpn_pre_nms_top_n_train=2000, rpn_post_nms_top_n_train=1000,
        rpn_pre_nms_top_n_test=1000, rpn_post_nms_top_n_test=1000,
        box_batch_size_per_image=512, box_positive_fraction=OBJECTS / 512, box_detections_per_img=100,
    )
    with torch.no_grad():
        for name, parameter in model.named_buffers():
            if name.endswith("bn3.weight"):
                parameter.fill_(RESIDUAL_SCALE)
        torch.nn.init.normal_(model.roi_heads.box_predictor.bbox_pred.weight, std=0.001)
        model.roi_heads.box_predictor.bbox_pred.bias.zero_()
        model.roi_heads.box_predictor.cls_score.weight.zero_()
        model.roi_heads.box_predictor.cls_score.bias.zero_()
        model.roi_heads.box_predictor.cls_score.bias[1] = LIKELY
    return model


def objects(height, width):
    """Boxes [G, 4], labels [G] and masks [G, height, width] of an image: one object in each cell of a grid."""
    boxes, masks = [], torch.zeros(OBJECTS, height, width, dtype=torch.uint8)
    for i in range(OBJECTS):
        share = 0.4 + 0.5 * i / OBJECTS
        w, h = share * width / COLUMNS, share * height / ROWS
        x, y = (i % COLUMNS) * width / COLUMNS, (i // COLUMNS) * height / ROWS
        boxes.append([x, y, x + w, y + h])
        masks[i, int(y):int(y + h), int(x):int(x + w)] = 1
    return {"boxes": torch.tensor(boxes), "labels": torch.arange(OBJECTS) + 1, "masks": masks}


def training(model, images, options):
    model.train()
    targets = [objects(options.height, options.width) for _ in images]
    parameters = [parameter for parameter in model.parameters() if parameter.requires_grad]
    solver = torch.optim.SGD(parameters, lr=0.0, momentum=0.9, weight_decay=1e-4)
    sampled = model.roi_heads.select_training_samples

    def checked(*arguments):
        result = sampled(*arguments)
        for labels in result[2]:
            expect_count("regions", len(labels), 512)
            expect_count("foreground", int((labels > 0).sum()), OBJECTS)
        return result

    model.roi_heads.select_training_samples = checked

    def step():
        losses = sum(model(images, targets).values())
        solver.zero_grad()
        losses.backward()
        solver.step()
        return losses.item()

    return step


def inference(model, images):
    model.eval()

    @torch.inference_mode()
    def step():
        for found in model(images):
            expect_count("detections", len(found["scores"]), 100)

    return step


def expect_count(what, found, expected):
    if found != expected:
        sys.exit(f"{found} {what} of an image, expected {expected}")


def parse_arguments():
    parser = argparse.ArgumentParser(description="Mask R-CNN in torchvision, timed.")
    parser.add_argument("--mode", choices=["train", "detect"], default="train")
    parser.add_argument("--layout", choices=["nchw", "channels_last"], default="nchw")
    for name, default in [("images", 2), ("height", 480), ("width", 640), ("threads", 2)]:
        parser.add_argument(f"--{name}", type=int, default=default)
    return parser.parse_args()


if __name__ == "__main__":
    main()
