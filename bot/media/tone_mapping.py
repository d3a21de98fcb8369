"""Tone mapping: pixels of high dynamic range in the range and primaries of usual screens."""

from __future__ import annotations

import math
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from bot.media.pixels import Pixels

PQ, HLG = 16, 18
"""Transfer characteristics beyond the range of usual screens (ITU-T H.273, table 3)."""
WHITE = 203.0
"""Candelas per square metre of a white page in HDR (ITU-R BT.2408, table 1)."""
PEAKS = {PQ: 10_000.0, HLG: 1000.0}
"""The brightest light of a signal (ITU-R BT.2100); of HLG that on its reference screen."""
KNEE = 0.75
"""Share of white up to which light stays as it is; brighter light is compressed above it."""
STRIP = 64
"""Rows that are converted at a time: as many as a processor's cache holds."""
TO_709 = np.array(
    [[-0.0182, -0.1006, 1.1187], [-0.1246, 1.1329, -0.0083], [1.6605, -0.5876, -0.0728]], np.float32
)
"""From red, green, blue of BT.2020 to blue, green, red of BT.709, in linear light (BT.2087)."""
LUMA = np.array([[0.0722, 0.7152, 0.2126]], np.float32)
"""The share of blue, green and red in the luminance of BT.709."""


def tone_map(signal: NDArray[np.uint16], transfer: int) -> Pixels:
    """Convert the signal of a PQ or HLG frame (red, green, blue by BT.2020, 0 to 65535) to pixels.

    What is darker than most of a white page keeps its brightness; a white page is a little less
    than white, to leave room for highlights.
    """
    pixels = np.empty(signal.shape, np.uint8)
    for top in range(0, len(signal), STRIP):
        rows = slice(top, top + STRIP)
        pixels[rows] = _convert(signal[rows], transfer)
    return pixels


def _convert(signal: NDArray[np.uint16], transfer: int) -> Pixels:
    """Convert signal levels of 16 bits to those of an sRGB screen."""
    light = cv2.transform(cv2.LUT(signal, _light(transfer)), TO_709)
    blue, green, red = cv2.split(light)
    brightest = np.maximum(cv2.max(cv2.max(blue, green), red), 1e-6)
    gain: Any = 1
    if transfer == HLG:
        # A screen shows the scene with more contrast: by gamma 1.2 of the luminance (BT.2100).
        share = WHITE / PEAKS[HLG]
        gain = cv2.pow(np.maximum(cv2.transform(light, LUMA * share), 1e-6), 0.2)
        brightest *= gain
    # The same factor for all three keeps the hue.
    gain = gain * _compress(brightest, PEAKS[transfer] / WHITE) / brightest
    levels = cv2.multiply(light, cv2.merge([gain] * 3), scale=65535, dtype=cv2.CV_16U)
    screen: Pixels = cv2.LUT(levels, _screen())
    return screen


def _compress(light: NDArray[np.float32], peak: float) -> NDArray[np.float32]:
    """Compress light: unchanged below the knee, with the peak at 1, in one smooth curve.

    It rises with the logarithm above the knee, as that of ITU-R BT.2446-1, method C, does.
    """
    bend = _bend(peak)
    above = np.maximum(light - KNEE, 0) / bend
    compressed_light: NDArray[np.float32] = np.minimum(light, KNEE) + bend * cv2.log(1 + above)
    return compressed_light


@lru_cache(2)
def _bend(peak: float) -> float:
    """Return the bend with which the curve rises by 1 - KNEE from the knee to the peak."""
    bend = 0.05
    for _ in range(30):
        bend = (1 - KNEE) / math.log(1 + (peak - KNEE) / bend)
    return bend


@lru_cache(2)
def _light(transfer: int) -> NDArray[np.float32]:
    """Return the linear light of each signal level (ITU-R BT.2100, tables 4 and 5).

    The unit is white: for PQ the light of the screen, for HLG that of the scene.
    """
    signal = np.linspace(0, 1, 65536)
    if transfer == PQ:
        m1, m2, c1, c2, c3 = 0.1593017578125, 78.84375, 0.8359375, 18.8515625, 18.6875
        root = signal ** (1 / m2)
        light = (np.maximum(root - c1, 0) / (c2 - c3 * root)) ** (1 / m1)
    else:
        a, b, c = 0.17883277, 0.28466892, 0.55991073
        light = np.where(signal <= 0.5, signal**2 / 3, (np.exp((signal - c) / a) + b) / 12)
    return (light * PEAKS[transfer] / WHITE).astype(np.float32)


@lru_cache(1)
def _screen() -> NDArray[np.uint8]:
    """Return the level of an sRGB screen (IEC 61966-2-1) for each level of linear light."""
    light = np.linspace(0, 1, 65536)
    level = np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)
    return np.round(level * 255).astype(np.uint8)
