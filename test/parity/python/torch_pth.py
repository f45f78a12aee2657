"""What PyTorch itself reads and writes, for test/parity/torch-pth.test.ts.

    python torch_pth.py read FILE...     loads each file with weights_only=True, prints its description as a JSON line
    python torch_pth.py write FOLDER     writes files in many dialects and FOLDER/expected.json: file name -> description

A description is plain JSON, bit by bit: test/formats/describe.ts makes the same one.
"""

import argparse
import collections
import json
import struct
import sys
import zipfile
from pathlib import Path

import numpy
import torch

NAMES = {getattr(torch, name): name for name in
         "float64 float32 float16 bfloat16 int64 int32 int16 int8 uint8 bool".split()}


def describe(value):
    if value is None or isinstance(value, (bool, str)):
        return value
    if isinstance(value, numpy.generic):
        return describe(value.item())
    if isinstance(value, int):
        return {"int": str(value)}
    if isinstance(value, float):
        return {"float": struct.pack(">d", value).hex()}
    if isinstance(value, (bytes, bytearray)):
        return {"bytes": bytes(value).hex()}
    if isinstance(value, numpy.ndarray):
        return describe(torch.from_numpy(value.astype(value.dtype.newbyteorder("="), order="C")))
    if isinstance(value, torch.Tensor):
        value = value.detach()
        if value.dtype not in NAMES:
            return {"opaque": OPAQUE_TENSORS[value.dtype]}
        value = value.contiguous()
        content = bytes(value.reshape(-1).view(torch.uint8).numpy()) if value.numel() else b""
        return {"tensor": [NAMES[value.dtype], list(value.shape), content.hex()]}
    if isinstance(value, (torch.dtype, torch.device)):
        return str(value)
    if isinstance(value, (list, tuple, set, frozenset)):
        return {"list": [describe(item) for item in value]}
    if isinstance(value, dict) and type(value).__module__ in ("builtins", "collections"):
        return {"dict": [[describe(key), describe(item)] for key, item in value.items()]}
    return {"opaque": f"{type(value).__module__}.{type(value).__qualname__}"}


OPAQUE_TENSORS = {
    torch.complex64: "torch.Tensor in torch.ComplexFloatStorage",
    torch.complex128: "torch.Tensor in torch.ComplexDoubleStorage",
    torch.uint16: "torch.Tensor of torch.uint16",
    torch.float8_e4m3fn: "torch.Tensor of torch.float8_e4m3fn",
}


def tensors():
    torch.manual_seed(1)
    out = collections.OrderedDict()
    for dtype, name in NAMES.items():
        for shape in [(), (0,), (3,), (2, 0, 4), (2, 3, 4)]:
            out[f"{name} {shape}"] = (torch.randn(shape) * 50).to(dtype)
    out["nan"] = torch.tensor([float("nan"), float("inf"), -0.0, 1e-45])
    return out


def views():
    base = torch.arange(120, dtype=torch.float32)
    cube = base.view(2, 3, 4, 5)
    double = torch.arange(60, dtype=torch.float64).view(3, 4, 5)
    return {
        "base": base, "slice": base[7:19], "step": base[3::7], "cube": cube, "permuted": cube.permute(2, 3, 1, 0),
        "channels_last": torch.randn(2, 3, 4, 5).to(memory_format=torch.channels_last),
        "inner": cube[1, :, 1:3, ::2], "scalar": base[5], "empty": base[5:5], "expanded": base[:3].expand(4, 3),
        "one": torch.ones(()).expand(7), "double": double.transpose(0, 2), "long": torch.arange(6).view(2, 3).t(),
        "half": torch.arange(6).half().view(2, 3).t(), "bool": (torch.arange(6) % 2 == 0).view(2, 3).t(),
        "again": base, "big step": torch.zeros(1000)[::999],
    }


def training():
    torch.manual_seed(2)
    model = torch.nn.Sequential(torch.nn.Conv2d(3, 4, 3), torch.nn.BatchNorm2d(4), torch.nn.Flatten(),
                                torch.nn.Linear(4, 2))
    adam = torch.optim.AdamW(model.parameters(), lr=0.1)
    sgd = torch.optim.SGD(model.parameters(), lr=1.0, momentum=0.9)
    schedule = torch.optim.lr_scheduler.MultiStepLR(sgd, [30, 60])
    for optimizer in (adam, sgd):
        optimizer.zero_grad()
        model(torch.randn(2, 3, 3, 3)).sum().backward()
        optimizer.step()
    return {
        "tag": "20", "epoch": 20, "max_eval_score": 71.0, "max_eval_epoch": 18, "online_network_state_dict": model.state_dict(),
        "xent_loss_state_dict": collections.OrderedDict(), "adam": adam.state_dict(), "sgd": sgd.state_dict(),
        "schedule": schedule.state_dict(), "random": torch.get_rng_state()[:64], "best": numpy.float64(0.25),
    }


class Attributed(torch.Tensor):
    pass


def oddities():
    subclass = torch.arange(4.0).as_subclass(Attributed)
    subclass.note = "kept by Python"
    return {
        "parameter": torch.nn.Parameter(torch.ones(2, 2)), "subclass": subclass, "namespace": argparse.Namespace(lr=1),
        "complex": torch.ones(2, dtype=torch.complex64), "complex128": torch.ones(2, dtype=torch.complex128),
        "uint16": torch.ones(2).to(torch.uint16), "float8": torch.ones(2).to(torch.float8_e4m3fn),
        "after": torch.ones(3), "size": torch.Size([1, 2]), "dtype": torch.bfloat16, "device": torch.device("cuda", 1),
        "bytes": b"\x00\xff\x80abc", "bytearray": bytearray(b"\x01\xfe"), "set": {1}, "frozenset": frozenset(["x"]),
        "counter": collections.Counter({3: 2}), "defaultdict": collections.defaultdict(list, a=[1]), "model": torch.nn.ReLU(),
        "array": numpy.arange(6, dtype=">f4").reshape(2, 3), "fortran": numpy.asfortranarray(numpy.arange(6).reshape(2, 3)),
        "int": numpy.int32(-7), "bool": numpy.bool_(True), "float32": numpy.float32(0.1), "tuple": (1, (2.0, None)),
    }


def plain():
    shared = [1, 2]
    return [None, True, False, 0, 255, 256, 65535, 65536, -1, 2**31 - 1, -(2**31), 2**31, 2**53, 2**53 + 1, -(2**200), 1.0, -0.0,
            float("nan"), 1e-320, "", "grün \U0001f389", shared, shared, {}, [], (), {1: "a", "b": {-5: []}}, list(range(3000)),
            {str(i): i for i in range(2500)}]


def write(folder):
    expected = {}

    def save(name, value, description=None, **options):
        torch.save(value, folder / name, **options)
        expected[name] = describe(value) if description is None else description

    values = {"tensors": tensors(), "views": views(), "training": training(), "oddities": oddities(), "plain": plain(), "empty": {}}
    for name, value in values.items():
        for protocol in (2, 3, 4, 5):
            save(f"{name}-zip{protocol}.pth", value, pickle_protocol=protocol)
        if name != "oddities":
            save(f"{name}-legacy.pth", value, _use_new_zipfile_serialization=False)
        with zipfile.ZipFile(folder / f"{name}-zip2.pth") as source, \
                zipfile.ZipFile(folder / f"{name}-deflate.pth", "w", zipfile.ZIP_DEFLATED) as target:
            for entry in source.namelist():
                target.writestr(entry, source.read(entry))
        expected[f"{name}-deflate.pth"] = expected[f"{name}-zip2.pth"]
    save("large-legacy.pth", {"text": "x" * 3_000_000, "t": torch.arange(5)}, _use_new_zipfile_serialization=False)
    save("tensor.pth", torch.arange(3))
    save("many.pth", {str(i): torch.full((1,), i) for i in range(3000)})
    (folder / "expected.json").write_text(json.dumps(expected))


def read(path):
    value = torch.load(path, weights_only=True)
    description = describe(value)
    assert describe(torch.load(path, weights_only=True, mmap=True)) == description, "mmap differs"
    assert zipfile.ZipFile(path).testzip() is None, "checksum"
    return description


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "write":
        write(Path(arguments[0]))
    else:
        for argument in arguments:
            print(json.dumps(read(argument)))
