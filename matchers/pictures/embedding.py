"""Optional: pictures to vectors by a neural network that the user supplies, with ONNX Runtime.

For models of the kinds of SSCD (Pizzi et al., *A self-supervised descriptor for image copy
detection*, 2022) and DINOv2 (Oquab et al., 2023), exported to ONNX:

- one input, float32 of (N, 3, H, W): RGB, scaled to 0 to 1, less ImageNet's mean, divided by
  its standard deviation. H and W are read from the model, 224 where it leaves them open. N may
  be open or a number. The picture is fitted to H × W as a whole, for a cut would lose what a
  seller pasted at the edge.
- the first output, float32 of (N, D). It need not be of length one: that is done here.

The model is trusted as code is: ONNX Runtime reads it in this process. No part of matching
needs this module; where no model is set, nothing changes.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Collection, Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from matchers.pictures.rendering import Pixels

#: Where the model leaves its height and width open: a multiple of 14 (DINOv2's patches) and
#: of 32 (SSCD's strides).
OPEN_SIDE = 224
BATCH = 16
#: ImageNet's, of red, green and blue.
_MEAN = np.array([0.485, 0.456, 0.406], np.float32)
_DEVIATION = np.array([0.229, 0.224, 0.225], np.float32)

Vectors = NDArray[np.float32]


class EmbeddingError(ValueError):
    """The model cannot be used; the message says why."""


class Embedder:
    """A model, ready to run; `open` makes one. Threads may share it.

    Parameters
    ----------
    version
        The SHA-256 digest of the model file: vectors of two versions must not be compared.
    width
        D, numbers in a vector.
    """

    def __init__(self, session: Any, version: str) -> None:
        self._session = session
        self.version = version
        inputs = session.get_inputs()
        if len(inputs) != 1:
            raise EmbeddingError(f"the model wants {len(inputs)} inputs, not one")
        self._input = inputs[0].name
        self._output = session.get_outputs()[0].name
        shape, kind = inputs[0].shape, inputs[0].type
        # A dimension that is left open is a name, or None.
        fits = len(shape) == 4 and (shape[1] == 3 or not isinstance(shape[1], int))
        if kind != "tensor(float)" or not fits:
            raise EmbeddingError(
                f"the model's input is {kind} of {shape}, not float32 of (N, 3, H, W)"
            )
        self._batch = shape[0] if isinstance(shape[0], int) else None
        self._high, self._wide = (
            side if isinstance(side, int) else OPEN_SIDE for side in shape[2:]
        )
        # Whether it runs, and how wide its vectors are, is known from a run.
        self.width = self._run(self._prepared([np.zeros((8, 8, 3), np.uint8)])).shape[1]

    @classmethod
    def open(cls, path: str | Path, threads: int = 1) -> Embedder:
        """Load a model file.

        Parameters
        ----------
        threads
            That a run may use.

        Raises
        ------
        EmbeddingError
            If ONNX Runtime is not installed, the file is no model, or its input or output is
            not as this module's docstring says.
        """
        try:
            import onnxruntime
        except ImportError as error:
            raise EmbeddingError(
                "a picture model needs ONNX Runtime: pip install onnxruntime"
            ) from error
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 4  # what is wrong comes as an exception
        try:
            with Path(path).open("rb") as file:
                version = hashlib.file_digest(file, "sha256").hexdigest()
            # By path, not by bytes: large models keep their weights in files beside it.
            session = onnxruntime.InferenceSession(
                os.fspath(path), options, providers=["CPUExecutionProvider"]
            )
        except OSError as error:
            raise EmbeddingError(f"cannot read the picture model {path}: {error}") from error
        except Exception as error:
            # ONNX Runtime's exceptions have no common class.
            raise EmbeddingError(f"{path} is no ONNX model that runs here: {error}") from error
        return cls(session, version)

    def embed(self, pictures: Sequence[Pixels]) -> Vectors:
        """The (n, D) vectors, each of length one, of (h, w, 3) RGB pictures.

        Raises
        ------
        EmbeddingError
            If the model fails on them.
        """
        found = [self._run(batch) for batch in self._batches(pictures)]
        vectors = np.concatenate(found)[: len(pictures)] if found else np.empty((0, self.width))
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        return np.asarray(vectors / np.maximum(lengths, 1e-12), np.float32)

    def _batches(self, pictures: Sequence[Pixels]) -> Iterator[Vectors]:
        size = self._batch or BATCH
        for at in range(0, len(pictures), size):
            yield self._prepared(pictures[at : at + size])

    def _prepared(self, pictures: Sequence[Pixels]) -> Vectors:
        """As the model wants them; a batch of a set size is filled up with nothing."""
        rows = self._batch or len(pictures)
        prepared = np.zeros((rows, 3, self._high, self._wide), np.float32)
        size = self._wide, self._high
        for row, picture in enumerate(pictures):
            fitted = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
            prepared[row] = ((fitted / np.float32(255) - _MEAN) / _DEVIATION).transpose(2, 0, 1)
        return prepared

    def _run(self, batch: Vectors) -> Vectors:
        try:
            (found,) = self._session.run([self._output], {self._input: batch})
        except Exception as error:
            raise EmbeddingError(f"the picture model failed: {error}") from error
        if not isinstance(found, np.ndarray) or found.ndim != 2 or len(found) != len(batch):
            shape = getattr(found, "shape", "something else")
            raise EmbeddingError(f"the picture model's output is {shape}, not (N, D)")
        if found.dtype != np.float32 or not np.isfinite(found).all():
            raise EmbeddingError("the picture model's output is not finite float32 numbers")
        return found


class EmbeddingIndex:
    """Vectors of `Embedder.embed` under their keys; build it, save it, open it in many processes.

    Searching changes nothing: threads may share one.

    Parameters
    ----------
    keys
        The caller's, one for each vector.
    vectors
        (n, D), each of length one.
    """

    def __init__(self, keys: Sequence[str], vectors: Vectors) -> None:
        if vectors.ndim != 2 or vectors.dtype != np.float32 or len(keys) != len(vectors):
            raise ValueError("no index of vectors: one float32 row for each key")
        self._keys = list(keys)
        # A plain array: of a memory-mapped one NumPy makes a copy of the class for every step.
        self._vectors = np.asarray(vectors)

    def __len__(self) -> int:
        return len(self._keys)

    def save(self, folder: Path) -> None:
        """Write it to a folder, which is made if need be."""
        folder.mkdir(parents=True, exist_ok=True)
        np.save(folder / "vectors.npy", self._vectors, allow_pickle=False)
        (folder / "keys.json").write_text(json.dumps(self._keys), encoding="utf-8")

    @classmethod
    def open(cls, folder: Path) -> EmbeddingIndex:
        """Map what `save` wrote into memory; processes share the pages.

        Raises
        ------
        OSError
            If it cannot be read.
        ValueError
            If it is no such index.
        """
        keys = json.loads((folder / "keys.json").read_text(encoding="utf-8"))
        return cls(keys, np.load(folder / "vectors.npy", mmap_mode="r", allow_pickle=False))

    def vector(self, key: str) -> Vectors | None:
        """The vector of a key; None if it has none."""
        row = self._rows.get(key)
        return None if row is None else self._vectors[row]

    def search(
        self, vector: Vectors, count: int, keys: Collection[str] | None = None
    ) -> list[tuple[str, float]]:
        """The `count` most alike of a (D,) vector: keys and cosine similarities, best first.

        Parameters
        ----------
        keys
            Only these; None for all.
        """
        rows = np.arange(len(self)) if keys is None else self._rows_of(keys)
        among = self._vectors if keys is None else self._vectors[rows]
        similarity = among @ vector
        best = np.argsort(-similarity, kind="stable")[:count]
        return [(self._keys[rows[place]], float(similarity[place])) for place in best]

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self._keys)}

    def _rows_of(self, keys: Collection[str]) -> NDArray[np.int64]:
        known = (self._rows[key] for key in keys if key in self._rows)
        return np.array(sorted(known), np.int64)
