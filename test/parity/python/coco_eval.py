"""What pycocotools makes of a data set, for test/parity/coco-eval.test.ts.

    python coco_eval.py FOLDER       reads gt.json, bbox.json, segm.json, keypoints.json; writes TYPE.out.json

Floats are written as hexadecimal bit patterns, so that equal means equal.
"""

import contextlib
import io
import json
import sys
from pathlib import Path

import numpy
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval


def bits(array):
    return numpy.ascontiguousarray(array, ">f8").tobytes().hex()


folder = Path(sys.argv[1])
for kind in ("bbox", "segm", "keypoints"):
    with contextlib.redirect_stdout(io.StringIO()):
        truth = COCO(str(folder / "gt.json"))
        evaluation = COCOeval(truth, truth.loadRes(str(folder / f"{kind}.json")), kind)
        evaluation.evaluate()
        evaluation.accumulate()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        evaluation.summarize()
    curves = evaluation.eval
    records = [
        record and {
            "image_id": int(record["image_id"]),
            "category_id": int(record["category_id"]),
            "maxDet": int(record["maxDet"]),
            "dtIds": [int(i) for i in record["dtIds"]],
            "gtIds": [int(i) for i in record["gtIds"]],
            "dtMatches": record["dtMatches"].astype(int).tolist(),
            "gtMatches": record["gtMatches"].astype(int).tolist(),
            "dtScores": [float(score) for score in record["dtScores"]],
            "gtIgnore": [int(flag) for flag in record["gtIgnore"]],
            "dtIgnore": record["dtIgnore"].astype(bool).tolist(),
        }
        for record in evaluation.evalImgs
    ]
    out = {
        "counts": [int(n) for n in curves["counts"]],
        **{name: bits(curves[name]) for name in ("precision", "recall", "scores")},
        "stats": bits(evaluation.stats),
        "table": said.getvalue(),
        "evalImgs": records,
    }
    (folder / f"{kind}.out.json").write_text(json.dumps(out))
