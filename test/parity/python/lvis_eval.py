"""What LVIS's evaluation makes of a data set, for test/parity/lvis.test.ts.

    python lvis_eval.py FOLDER       reads gt.json, bbox.json, segm.json; writes TYPE.out.json
"""

import contextlib
import io
import json
import sys
from pathlib import Path
from types import ModuleType

import numpy

# lvis 0.5.3 is older than numpy 1.24, and imports OpenCV for its drawings.
numpy.float = float
drawing = ModuleType("lvis.vis")
drawing.LVISVis = None
sys.modules["lvis.vis"] = drawing

from lvis import LVIS, LVISEval, LVISResults  # noqa: E402

folder = Path(sys.argv[1])
for kind in ("bbox", "segm"):
    truth = LVIS(str(folder / "gt.json"))
    evaluation = LVISEval(truth, LVISResults(truth, str(folder / f"{kind}.json")), kind)
    evaluation.run()
    said = io.StringIO()
    with contextlib.redirect_stdout(said):
        evaluation.print_results()
    out = {
        "precision": evaluation.eval["precision"].ravel().tolist(),
        "recall": evaluation.eval["recall"].ravel().tolist(),
        "stats": [float(value) for value in evaluation.get_results().values()],
        "table": said.getvalue(),
    }
    (folder / f"{kind}.out.json").write_text(json.dumps(out))
