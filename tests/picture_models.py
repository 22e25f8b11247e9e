"""Small ONNX models, made here, in the place of those that users supply."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from matchers.pictures.embedding import OPEN_SIDE

Shape = list[int | str | None]


def model(
    path: Path,
    shape: Shape | None = None,
    kind: int = TensorProto.FLOAT,
    last: str = "Flatten",
    inputs: int = 1,
) -> Path:
    """Random filters, the means of a 4 × 4 grid of them: (N, 128) numbers."""
    shape = shape if shape is not None else ["n", 3, 64, 64]
    weights = np.random.default_rng(1).normal(size=(8, 3, 5, 5)).astype(np.float32)
    side = shape[2] if len(shape) > 2 and isinstance(shape[2], int) else OPEN_SIDE
    pool = side // 2 // 4
    nodes = [
        helper.make_node("Conv", ["in0", "weights"], ["c"], strides=[2, 2], pads=[2, 2, 2, 2]),
        helper.make_node("Relu", ["c"], ["r"]),
        helper.make_node("AveragePool", ["r"], ["p"], kernel_shape=[pool] * 2, strides=[pool] * 2),
        helper.make_node(last, ["p"], ["out"]),
    ]
    graph = helper.make_graph(
        nodes,
        "small",
        [helper.make_tensor_value_info(f"in{row}", kind, shape) for row in range(inputs)],
        [helper.make_tensor_value_info("out", kind, None)],
        [numpy_helper.from_array(weights, "weights")],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, path)
    return path


def bright_fails(path: Path) -> Path:
    """A model that gives one number, and none for a picture that is bright on the whole."""
    nodes = [
        helper.make_node("Flatten", ["x"], ["f"]),
        helper.make_node("ReduceMean", ["f"], ["m"], axes=[1]),
        helper.make_node("Neg", ["m"], ["n"]),
        helper.make_node("Sqrt", ["n"], ["y"]),
    ]
    graph = helper.make_graph(
        nodes,
        "dark",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, ["n", 3, 32, 32])],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    made = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    onnx.save(made, path)
    return path
