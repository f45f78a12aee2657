"""Losses of a linear classifier under LARS, for test/parity/linear.test.ts: the SCRL reference's offline evaluation.

    python linear.py FILE.pth LOSSES.json

FILE.pth holds features [steps, N, C], labels [steps, N], weight, bias, rates [steps], momentum, weight_decay, nesterov.
"""

import json
import sys

import torch

TRUST, EPSILON = 0.001, 1e-8

given = torch.load(sys.argv[1], weights_only=True)
head = torch.nn.Linear(given["weight"].shape[1], given["weight"].shape[0])
with torch.no_grad():
    head.weight.copy_(given["weight"])
    head.bias.copy_(given["bias"])
decay = given["weight_decay"]
solver = torch.optim.SGD(head.parameters(), lr=1.0, momentum=given["momentum"], nesterov=given["nesterov"])

losses = []
for features, labels, rate in zip(given["features"], given["labels"], given["rates"].tolist()):
    loss = torch.nn.functional.cross_entropy(head(features), labels.long())
    solver.zero_grad()
    loss.backward()
    with torch.no_grad():
        # torchlars: layer-wise rate, decay included, for weight and bias alike.
        for parameter in head.parameters():
            weight_norm, gradient_norm = parameter.norm(), parameter.grad.norm()
            if weight_norm > 0 and gradient_norm > 0:
                ratio = TRUST * weight_norm / (gradient_norm + decay * weight_norm + EPSILON)
            else:
                ratio = 1.0
            parameter.grad.add_(parameter, alpha=decay).mul_(ratio)
    solver.param_groups[0]["lr"] = rate
    solver.step()
    losses.append(loss.item())
with open(sys.argv[2], "w") as file:
    json.dump(losses, file)
