"""Detection of the 80 kinds of things of COCO by NanoDet-g; runs in the engine's child process.

The model and its notices are in `adapters/vision/models`. Its outputs are decoded as Generalized
Focal Loss defines them (arXiv 2006.04388): each side of a box is a distribution over 11 distances.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from adapters.vision.polygons import Corners, iou, rectangle
from adapters.vision.tiles import quarters, whole

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.vision.settings import VisionSettings
    from adapters.vision.tiles import Tile
    from bot.media.pixels import Pixels

Floats = NDArray[np.float32]

MODELS = Path(__file__).parent / "models"
THREADS = 4
SIDE = 416
"""Pixels of the model's square input."""
STRIDES = (8, 16, 32)
BINS = np.arange(11, dtype=np.float32)
"""The distances of a box's side from its cell, in strides."""
MEAN = np.array([103.53, 116.28, 123.675], np.float32)
DEVIATION = np.array([57.375, 57.12, 58.395], np.float32)
SAME = 0.5
"""Boxes of one label with this IoU are of one thing."""
SAME_PLACE = 0.75
"""Boxes of different labels with this IoU are of one thing, which keeps one label."""
TILED_FROM = 900
"""A picture longer than this, in pixels, is also looked at in four tiles."""
TILE = 0.6
"""Share of a picture's sides that each of the four tiles has."""

LABELS = tuple((MODELS / "nanodet-g.labels.txt").read_text().splitlines())
TRAFFIC = (
    *("person", "bicycle", "car", "motorcycle", "bus", "truck"),
    *("traffic light", "stop sign"),
)
"""Labels with a lower least confidence: on roads these are mostly right, unlike trains."""


@dataclass(frozen=True, slots=True)
class Detection:
    """A thing with its confidence 0..1, and where it is in the picture, in pixels.

    `margin` is its confidence divided by the least one of its label.
    """

    label: str
    confidence: float
    margin: float
    corners: Corners


def see(pixels: Pixels, settings: VisionSettings) -> list[Detection]:
    """Return the things in a picture, the most confident first.

    Things cut by the edge of a tile are left out: the next tile, or the whole picture, shows all of
    them.
    """
    height, width = pixels.shape[:2]
    tiles = quarters(width, height, TILE) if max(width, height) > TILED_FROM else []
    least = np.full(len(LABELS), settings.things, np.float32)
    least[[LABELS.index(label) for label in TRAFFIC]] = settings.traffic
    return _distinct(
        [
            thing
            for view in (whole(width, height), *tiles)
            for thing in _see(pixels, view, least)
            if not view.cuts(thing.corners)
        ]
    )


def _see(pixels: Pixels, view: Tile, least: Floats) -> Iterator[Detection]:
    """Yield the things in one part of a picture; `least` is the least confidence by label."""
    image, scale = _model_input(view.of(pixels))
    outputs = _session().run(None, {"input_1": image})
    scores = np.concatenate([output[0] for output in outputs[:3]])
    cells, labels = np.nonzero(scores >= least)
    boxes = _boxes([output[0] for output in outputs[3:]])[cells] / scale
    size = np.array([view.width, view.height] * 2, np.float32)
    boxes = boxes.clip(0, size) + np.array([view.left, view.top] * 2, np.float32)
    for cell, label, box in zip(cells, labels, boxes, strict=True):
        score = float(scores[cell, label])
        yield Detection(
            LABELS[label], round(score, 4), score / float(least[label]), rectangle(*box)
        )


def _model_input(part: Pixels) -> tuple[Floats, float]:
    """Return the model's input with a part scaled into its top left, and the scale."""
    height, width = part.shape[:2]
    scale = SIDE / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    way = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    image = np.zeros((SIDE, SIDE, 3), np.float32)
    image[: size[1], : size[0]] = (cv2.resize(part, size, interpolation=way) - MEAN) / DEVIATION
    return image.transpose(2, 0, 1)[None], scale


def _boxes(distances: list[Floats]) -> Floats:
    """Return left, top, right and bottom of all cells, in pixels of the input."""
    by_stride = []
    for stride, raw in zip(STRIDES, distances, strict=True):
        likely = np.exp(raw.reshape(-1, 4, len(BINS)))
        sides = (likely / likely.sum(axis=2, keepdims=True)) @ BINS * stride
        row, column = np.divmod(np.arange(len(sides)), SIDE // stride)
        centre = (np.stack([column, row], axis=1) + 0.5) * stride
        by_stride.append(np.hstack([centre - sides[:, :2], centre + sides[:, 2:]]))
    boxes: Floats = np.concatenate(by_stride).astype(np.float32)
    return boxes


def _distinct(candidates: list[Detection]) -> list[Detection]:
    """Return one box of each thing, the most confident first, by non-maximum suppression."""
    things: list[Detection] = []
    for thing in sorted(candidates, key=lambda thing: -thing.margin):
        if not any(_are_one(thing, other) for other in things):
            things.append(thing)
    return sorted(things, key=lambda thing: -thing.confidence)


def _are_one(thing: Detection, other: Detection) -> bool:
    share = iou(thing.corners, other.corners)
    return share > (SAME if thing.label == other.label else SAME_PLACE)


@cache
def _session() -> Any:
    """Load the model, once for each process."""
    import onnxruntime  # noqa: PLC0415 - heavy, and for the child only

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = min(THREADS, os.cpu_count() or 1)
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 4
    return onnxruntime.InferenceSession(
        MODELS / "nanodet-g.onnx", options, providers=["CPUExecutionProvider"]
    )
