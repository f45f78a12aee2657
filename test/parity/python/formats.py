"""NumPy's and safetensors' own readers and writers, for test/parity/formats.test.ts.

    python formats.py write FOLDER     files of every dialect, and expected.json: by file and name, dtype, shape, hex of the bytes
    python formats.py read FILE...     a line for each: by name, dtype, shape, hex of the bytes
"""

import hashlib
import json
import pickle
import sys
from pathlib import Path

import numpy
import torch
from safetensors.torch import load_file, save_file


def describe(array):
    if isinstance(array, torch.Tensor):
        name = str(array.dtype).removeprefix("torch.")
        return [name, list(array.shape), bytes(array.contiguous().flatten().view(torch.uint8).numpy()).hex()]
    if array.dtype.kind == "U":
        return ["text", list(array.shape), array.flatten().tolist()]
    little = numpy.ascontiguousarray(array, dtype=array.dtype.newbyteorder("<"))
    content = little.tobytes()
    return [array.dtype.name, list(array.shape), content.hex() if len(content) < 1e6 else hashlib.sha256(content).hexdigest()]


def arrays():
    random = numpy.random.default_rng(0)
    kinds = ["float64", "float32", "float16", "int64", "int32", "int16", "int8", "uint8"]
    result = {kind: random.integers(0, 100, (3, 4)).astype(kind) for kind in kinds}
    result["bool"] = random.random((2, 3)) < 0.5
    result["scalar"] = numpy.array(2.5, "f4")
    result["empty"] = numpy.zeros((0, 3), "f4")
    result["fortran"] = numpy.asfortranarray(random.random((4, 5, 6)).astype("f4"))
    result["big"] = numpy.arange(7).astype(">i4")
    result["strided"] = random.random((6, 8)).astype("f4")[::2, 1::3]
    result["long"] = random.random((200, 300)).astype("f4")
    result["long fortran"] = numpy.asfortranarray(random.random((300, 200)).astype(">f4"))
    result["specials"] = numpy.array([numpy.nan, -0.0, numpy.inf, 1e-45], "f4")
    return result


def write(folder):
    expected = {}
    values = arrays()
    described = {name: describe(array) for name, array in values.items()}
    for protocol in range(6):
        name = f"protocol{protocol}.pkl"
        with open(folder / name, "wb") as file:
            pickle.dump({"model": values, "__author__": "numpy"}, file, protocol=protocol)
        expected[name] = described
    # NumPy's arrays go into PyTorch's pickle itself, here beyond the 64 MiB that are read at once.
    large = {"large": numpy.random.RandomState(3).random_sample((3000, 3000)), **values}
    torch.save({"model": large}, folder / "arrays.pth")
    expected["arrays.pth"] = {name: describe(array) for name, array in large.items()}
    texts = {"files": numpy.array(["a.jpg", "größe", "", "\U0001f600"]), "table": numpy.array([["a", "bc"], ["d", "e"]], order="F")}
    for name, save in [("plain.npz", numpy.savez), ("packed.npz", numpy.savez_compressed)]:
        save(folder / name, **values, **texts)
        expected[name] = {**described, **{key: describe(array) for key, array in texts.items()}}
    tensors = {name.replace(" ", "."): torch.from_numpy(numpy.array(array.astype(array.dtype.newbyteorder("=")), order="C")) for name, array in values.items()}
    tensors["bfloat16"] = torch.randn(3, 5).to(torch.bfloat16)
    save_file(tensors, folder / "torch.safetensors", metadata={"format": "pt"})
    expected["torch.safetensors"] = {name: describe(tensor) for name, tensor in tensors.items()}
    (folder / "expected.json").write_text(json.dumps(expected))


def read(path):
    if path.endswith(".pkl"):
        with open(path, "rb") as file:
            return pickle.load(file, encoding="latin1")["model"]
    if path.endswith(".npz"):
        return dict(numpy.load(path, allow_pickle=False))
    return load_file(path)


if sys.argv[1] == "write":
    write(Path(sys.argv[2]))
else:
    for path in sys.argv[2:]:
        print(json.dumps({name: describe(array) for name, array in read(path).items()}))
