"""What pycocotools makes of masks and polygons, for test/parity/coco-mask.test.ts.

    python coco_mask.py FOLDER       reads in.json, writes out.json
"""

import json
import sys
from pathlib import Path

import numpy
from pycocotools import mask

folder = Path(sys.argv[1])
data = json.loads((folder / "in.json").read_text())

coded = []
for height, width, text in data["masks"]:
    dense = numpy.frombuffer(bytes.fromhex(text), numpy.uint8).reshape((height, width), order="F")
    coded.append(mask.encode(numpy.asfortranarray(dense)))

tens = [coded[i : i + 10] for i in range(0, len(coded), 10)]
crowd = [k % 2 for k in range(10)]
out = {
    "strings": [rle["counts"].decode() for rle in coded],
    "areas": [int(mask.area(rle)) for rle in coded],
    "boxes": [mask.toBbox(rle).tolist() for rle in coded],
    "unions": [mask.merge(ten)["counts"].decode() for ten in tens],
    "intersections": [mask.merge(ten[:2], True)["counts"].decode() for ten in tens],
    "ious": [mask.iou(ten, ten, crowd).tolist() for ten in tens],
    "boxIous": [
        mask.iou(numpy.array([mask.toBbox(r) for r in ten]), numpy.array([mask.toBbox(r) for r in ten]), crowd).tolist()
        for ten in tens
    ],
    "polygons": [
        mask.frPyObjects([points], height, width)[0]["counts"].decode() for height, width, points in data["polygons"]
    ],
}
(folder / "out.json").write_text(json.dumps(out))
