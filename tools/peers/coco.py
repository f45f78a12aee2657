"""pycocotools as a whole command, the peer of `npm run bench -- coco`.

    python coco.py eval GT DT TYPE      prints {"stats": [...]}
    python coco.py load GT              prints {"stats": [images, annotations, categories]}
"""

import contextlib
import io
import json
import sys

from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

with contextlib.redirect_stdout(io.StringIO()):
    truth = COCO(sys.argv[2])
    if sys.argv[1] == "load":
        stats = [len(truth.imgs), len(truth.anns), len(truth.cats)]
    else:
        evaluation = COCOeval(truth, truth.loadRes(sys.argv[3]), sys.argv[4])
        evaluation.evaluate()
        evaluation.accumulate()
        evaluation.summarize()
        stats = [float(value) for value in evaluation.stats]
print(json.dumps({"stats": stats}))
