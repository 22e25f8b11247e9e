"""The optional embedding stage, on small models that are made here."""

from __future__ import annotations

import builtins
import sys
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper

from matchers.pictures.embedding import BATCH, Embedder, EmbeddingError, EmbeddingIndex
from tests.picture_models import Shape, model
from tests.pictures import draw


def pictures(*seeds: int, size: int = 200) -> list[Any]:
    return [np.asarray(draw(seed, size)) for seed in seeds]


@pytest.mark.parametrize(
    "shape",
    [["n", 3, 64, 64], [1, 3, 64, 64], [4, 3, 64, 64], ["n", "c", "h", "w"], [None, 3, None, None]],
    ids=str,
)
def test_pictures_become_vectors(tmp_path: Path, shape: Shape) -> None:
    embedder = Embedder.open(model(tmp_path / "m.onnx", shape))
    shown = pictures(*range(BATCH + 3))
    vectors = embedder.embed(shown)
    assert vectors.shape == (BATCH + 3, embedder.width) == (BATCH + 3, 128)
    assert vectors.dtype == np.float32
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    # One alone comes out as it does among others.
    assert np.allclose(embedder.embed(shown[5:6])[0], vectors[5], atol=1e-5)
    assert embedder.embed([]).shape == (0, 128)


def test_the_input_is_as_documented(tmp_path: Path) -> None:
    """A model that hands back what it was given: a quarter red, the rest black."""
    shape: Shape = ["n", 3, 2, 2]
    graph = helper.make_graph(
        [helper.make_node("Flatten", ["x"], ["y"])],
        "same",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, None)],
    )
    path = tmp_path / "same.onnx"
    onnx.save(
        helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8), path
    )
    picture = np.zeros((20, 20, 3), np.uint8)
    picture[:10, :10, 0] = 255
    (found,) = Embedder.open(path).embed([picture])
    black = [-0.485 / 0.229, -0.456 / 0.224, -0.406 / 0.225]
    red = [(1 - 0.485) / 0.229, *[black[0]] * 3]
    expected = np.array([*red, *[black[1]] * 4, *[black[2]] * 4])
    assert np.allclose(found, expected / np.linalg.norm(expected), atol=1e-5)


def test_versions_are_told_apart(tmp_path: Path) -> None:
    one = Embedder.open(model(tmp_path / "1.onnx"))
    other = Embedder.open(model(tmp_path / "2.onnx", ["n", 3, 32, 32]))
    assert one.version == Embedder.open(tmp_path / "1.onnx").version != other.version
    assert len(one.version) == 64


def test_the_index_finds_the_copy(tmp_path: Path) -> None:
    embedder = Embedder.open(model(tmp_path / "m.onnx"))
    nothing = EmbeddingIndex([], embedder.embed([]))
    assert nothing.search(embedder.embed(pictures(1))[0], 3) == []
    keys = [f"p{seed}" for seed in range(40)]
    EmbeddingIndex(keys, embedder.embed(pictures(*range(40)))).save(tmp_path / "index")
    index = EmbeddingIndex.open(tmp_path / "index")
    assert len(index) == 40
    small = [np.asarray(draw(seed, 200).resize((90, 90))) for seed in range(40)]
    found = [index.search(vector, 3) for vector in embedder.embed(small)]
    assert np.mean([best[0][0] == key for best, key in zip(found, keys, strict=True)]) >= 0.9
    for best in found:
        alike = [similarity for _, similarity in best]
        assert len(best) == 3
        assert alike == sorted(alike, reverse=True)
        assert alike[0] <= 1.0001
    (vector,) = embedder.embed(pictures(1))
    assert len(index.search(vector, 99)) == 40
    assert {key for key, _ in index.search(vector, 99, {"p3", "p1", "other"})} == {"p1", "p3"}
    assert index.search(vector, 9, {"p3", "p1"})[0][0] == "p1"
    kept = index.vector("p1")
    assert kept is not None
    assert np.allclose(kept, vector, atol=1e-5)
    assert index.vector("other") is None


def test_what_is_no_index_is_not_opened(tmp_path: Path) -> None:
    with pytest.raises(OSError, match=r"keys\.json"):
        EmbeddingIndex.open(tmp_path)
    EmbeddingIndex(["a"], np.ones((1, 4), np.float32)).save(tmp_path)
    (tmp_path / "keys.json").write_text('["a", "b"]', encoding="utf-8")
    with pytest.raises(ValueError, match="one float32 row"):
        EmbeddingIndex.open(tmp_path)


def test_what_is_wrong_is_said(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    noise = tmp_path / "noise.onnx"
    noise.write_bytes(b"no model")
    cases = [
        (tmp_path / "none.onnx", "cannot read"),
        (tmp_path, "cannot read"),
        (noise, "no ONNX model"),
        (model(tmp_path / "1.onnx", ["n", 3, 64]), "no ONNX model|input"),
        (model(tmp_path / "2.onnx", ["n", 1, 64, 64]), "no ONNX model|input is"),
        (model(tmp_path / "3.onnx", ["n", 64, 64, 3]), "no ONNX model|input is"),
        (model(tmp_path / "4.onnx", kind=TensorProto.DOUBLE), "no ONNX model|input is"),
        (model(tmp_path / "5.onnx", inputs=2), "2 inputs"),
        (model(tmp_path / "6.onnx", last="Relu"), "output is"),
        (model(tmp_path / "7.onnx", last="Log"), "output"),
    ]
    for path, said in cases:
        with pytest.raises(EmbeddingError, match=said):
            Embedder.open(path)
    assert capfd.readouterr().err == ""


def test_without_onnx_runtime(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = model(tmp_path / "m.onnx")
    real = builtins.__import__

    def missing(name: str, *rest: Any, **more: Any) -> Any:
        if name == "onnxruntime":
            raise ImportError(name)
        return real(name, *rest, **more)

    monkeypatch.delitem(sys.modules, "onnxruntime", raising=False)
    monkeypatch.setattr(builtins, "__import__", missing)
    with pytest.raises(EmbeddingError, match="pip install onnxruntime"):
        Embedder.open(path)
