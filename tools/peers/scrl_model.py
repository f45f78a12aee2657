"""The networks and the loss of the SCRL reference in PyTorch, for the benchmark's peer.

ResNet-50 as torchvision builds it (stride in the 3x3 convolution), the two MLP heads, RoIAlign and the symmetric loss.
The encoder is a sequence without names, as in the reference, because its solver decides by names (scrl_solver.py).

RoIAlign to 1x1 is linear in the features, so it is a product with weights that depend on the boxes only. That is at
least as fast as torchvision's operator, and the weights are made before the clock starts: the peer is not held back.
Letters: N images, 2N views, K boxes per view, S = H W cells of the map.
"""

import math

import torch
from torch import nn
from torch.nn import functional

STRIDE = 32


class Bottleneck(nn.Module):
    def __init__(self, channels, width, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(channels, width, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(width)
        self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(width)
        self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
        self.bn3 = nn.BatchNorm2d(4 * width)
        self.relu = nn.ReLU(inplace=True)
        self.downsample = None
        if stride != 1 or channels != 4 * width:
            self.downsample = nn.Sequential(nn.Conv2d(channels, 4 * width, 1, stride, bias=False),
                                            nn.BatchNorm2d(4 * width))

    def forward(self, x):
        shortcut = x if self.downsample is None else self.downsample(x)
        x = self.relu(self.bn1(self.conv1(x)))
        x = self.relu(self.bn2(self.conv2(x)))
        x = self.bn3(self.conv3(x))
        x += shortcut
        return self.relu(x)


def resnet50():
    """Children 0 to 7 end in the last feature map, child 8 is the average pooling."""
    layers = [nn.Conv2d(3, 64, 7, 2, 3, bias=False), nn.BatchNorm2d(64), nn.ReLU(inplace=True),
              nn.MaxPool2d(3, 2, 1)]
    channels = 64
    for stage, (width, blocks) in enumerate([(64, 3), (128, 4), (256, 6), (512, 3)]):
        stage_blocks = []
        for block in range(blocks):
            stage_blocks.append(Bottleneck(channels, width, 2 if stage > 0 and block == 0 else 1))
            channels = 4 * width
        layers.append(nn.Sequential(*stage_blocks))
    encoder = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1))
    for module in encoder.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return encoder


class Head(nn.Module):
    def __init__(self, inputs, hidden, outputs):
        super().__init__()
        self.net = nn.Sequential(nn.Linear(inputs, hidden), nn.BatchNorm1d(hidden), nn.ReLU(inplace=True),
                                 nn.Linear(hidden, outputs, bias=False))

    def forward(self, x):
        return self.net(x)


class Network(nn.Module):
    """Backbone and projector: one for the online, one for the target branch."""

    def __init__(self, hidden=4096, outputs=256):
        super().__init__()
        self.encoder = resnet50()
        self.projector = Head(2048, hidden, outputs)

    def forward(self, views, roi_weights):
        """views [2N, 3, side, side], roi_weights [2N, K, S] -> projections [2N K, outputs], pooled [2N, 2048]"""
        features = self.encoder[:-1](views)
        pooled = self.encoder[-1](features).flatten(1)
        return self.projector(pool_boxes(features, roi_weights)), pooled


class Classifier(nn.Module):
    def __init__(self, classes=1000):
        super().__init__()
        self.linear = nn.Linear(2048, classes)

    def forward(self, x):
        return self.linear(x)


def pool_boxes(features, roi_weights):
    """features [2N, C, H, W], roi_weights [2N, K, S] -> [2N K, C]; no copy of the features in either memory format"""
    cells = features.permute(0, 2, 3, 1).flatten(1, 2)
    return torch.bmm(roi_weights, cells).flatten(0, 1)


def roi_align_weights(boxes, cells):
    """Weights of RoIAlign 1x1, scale 1/32, not aligned, adaptive grid.

    boxes: [2N, K, 4], x1 y1 x2 y2 in pixels; cells: H = W -> [2N, K, H W]
    """
    flat = boxes.flatten(0, 1) / STRIDE
    columns = torch.stack([axis_weights(x1, x2, cells) for x1, _, x2, _ in flat.tolist()])
    rows = torch.stack([axis_weights(y1, y2, cells) for _, y1, _, y2 in flat.tolist()])
    return (rows[:, :, None] * columns[:, None, :]).view(*boxes.shape[:2], cells * cells)


def axis_weights(low, high, cells):
    """Share of each cell along one axis: samples at the centres of ceil(extent) equal parts, linear interpolation."""
    extent = max(high - low, 1)
    samples = math.ceil(extent)
    weights = torch.zeros(cells)
    for k in range(samples):
        position = low + (k + 0.5) * extent / samples
        if position < -1 or position > cells:
            continue
        position = min(max(position, 0), cells - 1)
        cell = math.floor(position)
        weights[cell] += (1 - (position - cell)) / samples
        if position > cell:
            weights[cell + 1] += (position - cell) / samples
    return weights


def consistency_loss(predictions, targets):
    """predictions, targets [2M, D], first half from view 1 -> mean over boxes of both directions, 0 to 8"""
    p1, p2 = functional.normalize(predictions, dim=-1, eps=1e-12).chunk(2)
    z1, z2 = functional.normalize(targets, dim=-1, eps=1e-12).chunk(2)
    return ((2 - 2 * (p1 * z2).sum(-1)) + (2 - 2 * (p2 * z1).sum(-1))).mean()
