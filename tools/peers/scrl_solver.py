"""SGD under LARS as torchlars does it, and the moving average of the target, for the benchmark's peer.

Parameters whose name contains "bn" or "bias" have no decay and no adaptation; torchlars multiplies their gradients by
the learning rate, and SGD does so again. Each function comes in two forms with equal results: a Python loop over the
parameters, as the reference runs it, and fewer calls over lists of tensors, as one would write it for speed.
"""

import torch

TRUST = 0.001
EPSILON = 1e-8


class Solver:
    def __init__(self, modules, weight_decay=1e-6, momentum=0.9, lists=False):
        named = [pair for module in modules for pair in module.named_parameters()]
        self.excluded = [p for name, p in named if "bn" in name or "bias" in name]
        self.adapted = [p for name, p in named if not ("bn" in name or "bias" in name)]
        self.weight_decay = weight_decay
        self.scale_gradients = self.scale_as_lists if lists else self.scale_one_by_one
        # Decay is part of the adaptation and done there.
        options = {"fused": True} if lists else {"foreach": False}
        self.sgd = torch.optim.SGD(self.adapted + self.excluded, lr=0.0, momentum=momentum, weight_decay=0, **options)

    def zero_grad(self):
        self.sgd.zero_grad()

    @torch.no_grad()
    def step(self, rate):
        self.scale_gradients(rate)
        for group in self.sgd.param_groups:
            group["lr"] = rate
        self.sgd.step()

    def scale_one_by_one(self, rate):
        for p in self.adapted:
            p_norm, g_norm = p.norm(), p.grad.norm()
            ratio = TRUST * p_norm / (g_norm + self.weight_decay * p_norm + EPSILON)
            ratio = torch.where((p_norm > 0) & (g_norm > 0), ratio, torch.ones_like(ratio))
            p.grad.add_(p, alpha=self.weight_decay).mul_(ratio)
        for p in self.excluded:
            p.grad.mul_(rate)

    def scale_as_lists(self, rate):
        gradients = [p.grad for p in self.adapted]
        p_norms = torch.stack(torch._foreach_norm(self.adapted))
        g_norms = torch.stack(torch._foreach_norm(gradients))
        ratios = TRUST * p_norms / (g_norms + self.weight_decay * p_norms + EPSILON)
        ratios = torch.where((p_norms > 0) & (g_norms > 0), ratios, torch.ones_like(ratios))
        torch._foreach_add_(gradients, self.adapted, alpha=self.weight_decay)
        torch._foreach_mul_(gradients, ratios.unbind())
        torch._foreach_mul_([p.grad for p in self.excluded], rate)


@torch.no_grad()
def average_one_by_one(targets, onlines, m):
    for target, online in zip(targets, onlines):
        target.mul_(m).add_(online, alpha=1 - m)


@torch.no_grad()
def average_as_lists(targets, onlines, m):
    torch._foreach_lerp_(targets, onlines, 1 - m)
