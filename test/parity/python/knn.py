"""Weighted nearest neighbours as Wu et al. (2018) define them, by PyTorch, for test/parity/knn.test.ts.

    python knn.py BANK.bin BANK_LABELS.bin QUERIES.bin QUERY_LABELS.bin CHANNELS CLASSES TEMPERATURE K...

Features are float32, labels int32. Prints a line of JSON: percent by k of the classes with the most votes, and of those among
the five with the most; then the predictions by k.
"""

import json
import sys

import numpy
import torch

paths, (channels, classes) = sys.argv[1:5], map(int, sys.argv[5:7])
temperature, ks = float(sys.argv[7]), [int(k) for k in sys.argv[8:]]

bank, queries = (
    torch.nn.functional.normalize(torch.from_numpy(numpy.fromfile(path, "<f4").reshape(-1, channels)), dim=1)
    for path in paths[0::2]
)
bank_labels, query_labels = (torch.from_numpy(numpy.fromfile(path, "<i4")).long() for path in paths[1::2])

similarity = queries @ bank.T
result = {"top1": {}, "top5": {}, "predictions": {}}
for k in ks:
    best, rows = similarity.topk(k, dim=1)
    votes = torch.zeros(len(queries), classes).scatter_add_(1, bank_labels[rows], (best / temperature).exp())
    order = votes.argsort(dim=1, descending=True)[:, :5]
    # A class that nobody voted for is no answer, wherever the sorting puts it.
    right = (order == query_labels[:, None]) & (votes.gather(1, order) > 0)
    result["top1"][k] = 100 * right[:, 0].sum().item() / len(queries)
    result["top5"][k] = 100 * right.any(dim=1).sum().item() / len(queries)
    result["predictions"][k] = order[:, 0].tolist()
print(json.dumps(result))
