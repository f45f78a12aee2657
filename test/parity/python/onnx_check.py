"""The checks of ONNX's own library on a model, types and shapes of all values included, for test/parity/onnx.test.ts.

    python onnx_check.py MODEL.onnx
"""

import sys

import onnx

onnx.checker.check_model(sys.argv[1], full_check=True)
