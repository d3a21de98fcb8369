"""Whether the moment that a question is about is among ten frames, by each means of choosing.

`spread` takes ten frames evenly. The others survey a clip and choose as the bot does:

- embedding: through the adapter of Azure AI Vision, from a server of our own whose vectors tell
  how much blue board, yellow plate, standing person, light and red there is in a picture, with
  noise. That proves that a moment is among the candidates, and that the cosines and the spreading
  choose it, not how well the service's own vectors tell moments apart.
- overview: a scripted model reads the contact sheet as it is sent, its labels too, with the engine
  on this machine and by colours, and calls the tool `frames` with the times that it read. That
  proves that moments are on the sheet and can be had from it, not that a model finds them.
- words: the engine on this machine reads and sees the candidates.
"""

from __future__ import annotations

import asyncio
import time
import zlib
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import cv2
import numpy as np
from pydantic import SecretStr

from adapters.blobs.build import open_blobs
from adapters.blobs.settings import MediaSettings
from adapters.vision.azure_client import AzureClient
from adapters.vision.azure_embedding import AzureEmbedding
from adapters.vision.local import LocalVision
from adapters.vision.settings import VisionSettings
from benchmarks.footage_scenes import SIZE, Event, man
from benchmarks.scenes import Pixels, decoded
from bot.attachments.store import AttachmentStore, blob_key
from bot.domain.files import Video
from bot.domain.frame_ids import CLOCK, clock, read_clock, seconds_of
from bot.domain.threads import Thread
from bot.media.video_probe import probe
from bot.sandbox import DECODERS, ChildProcesses, import_module
from bot.tools.video_frames import VideoFramesTool
from bot.video.candidates import FrameRequest
from bot.video.chooser import Chooser
from bot.video.footage import FrameStore
from tests.servers.image_analysis import KEY, ImageAnalysisServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable, Sequence
    from pathlib import Path

    from numpy.typing import NDArray

    from benchmarks.footage_scenes import Clip
    from bot.domain.sightings import Polygon
    from bot.limits import Limits
    from bot.ports.model import Picture
    from bot.video.candidates import Survey

FRAMES = 10
FIRST = 4
"""Frames that go along with an overview, which is a picture too; the rest the model fetches."""
SPREAD, CANDIDATES = "even spread", "candidates"
EMBEDDING, OVERVIEW, WORDS = "embedding", "overview", "words"
MEANS = (SPREAD, EMBEDDING, OVERVIEW, WORDS)
LOCAL = VisionSettings(_env_file=None)
NOISE = 0.05
"""Of the vectors, whose parts are 0 to 1."""
ALIKE = 0.3
"""The part of a vector that is the same in all."""
SMALL = (320, 180)
"""Pixels of a picture that is measured, as those on a contact sheet are about."""
LEAST_PANEL = 60
"""Pixels of a sign or a plate in it."""

THREAD = Thread("benchmarks", "", "recall")


@dataclass(frozen=True, slots=True)
class Asked:
    """A question, and by which means the moment that it is about was among the frames."""

    gap: int
    event: Event
    means: frozenset[str]


class Screening:
    """A video as the bot has it: kept in a folder, surveyed and chosen from.

    `seconds_taken` is how many seconds it took to find out what the file is, and to keep it.
    """

    def __init__(self, video: Video, footage: FrameStore, seconds: float) -> None:
        self._footage = footage
        self.video = video
        self.seconds_taken = seconds

    async def survey(self) -> Survey:
        """Survey all of it."""
        spans = [(0.0, self.video.facts.seconds + 1)]
        return await self._footage.survey(THREAD, self.video, spans, lambda _: None)

    async def chosen(
        self, chooser: Chooser, survey: Survey, wish: FrameRequest
    ) -> tuple[list[float], Survey]:
        """Choose frames and decode them; returns when they are shown."""
        choice, survey = await chooser.choose(1, survey, wish, lambda count, total: None)
        times = [seconds_of(one.frame) for one in choice]
        return [seconds_of(number) for number in await self.frames(times)], survey

    async def frames(self, times: Iterable[float]) -> dict[int, Picture]:
        """Bring frames, by their numbers."""
        return await self._footage.frames(THREAD, self.video, times)

    async def overview(self, survey: Survey) -> Picture:
        """Put the candidates on a contact sheet."""
        return await self._footage.overview(self.video, survey)


@asynccontextmanager
async def screening(path: Path, folder: Path, limits: Limits) -> AsyncIterator[Screening]:
    """Have a bot's child processes started, and a file taken in."""
    children = ChildProcesses(limits.children, limits.files)
    blobs = open_blobs(MediaSettings(_env_file=None), folder)
    try:
        children.warm()
        await asyncio.gather(*(children.run(import_module, DECODERS) for _ in range(2)))
        start = time.perf_counter()
        probe_result = await children.run(probe, path, limits.files)
        assert probe_result is not None
        await blobs.put(blob_key(THREAD, probe_result.sha256), path)
        seconds = time.perf_counter() - start
        video = Video(1, probe_result.sha256, path.name, probe_result.facts, "", 0.0)
        gallery = AttachmentStore(children, blobs, limits.files, folder)
        yield Screening(
            video, FrameStore(children, blobs, gallery, limits.files, limits.videos), seconds
        )
    finally:
        await children.close()


async def asked(clip: Clip, gap: int, path: Path, folder: Path, limits: Limits) -> list[Asked]:
    """Ask all questions about a clip by all means."""
    local = LocalVision(limits.files, LOCAL)
    try:
        async with screening(path, folder, limits) as video:
            survey = await video.survey()
            times_by_means = {
                SPREAD: [evenly(clip.seconds)] * len(clip.events),
                CANDIDATES: [[one.at for one in survey.candidates]] * len(clip.events),
                EMBEDDING: await _by_embedding(video, clip, survey, local, limits),
                OVERVIEW: await _by_overview(video, clip, survey, local, limits),
                WORDS: await _by_words(video, clip, survey, local, limits),
            }
    finally:
        await local.close()
    return [
        Asked(gap, event, frozenset(_hits(event, {m: t[i] for m, t in times_by_means.items()})))
        for i, event in enumerate(clip.events)
    ]


def _hits(event: Event, times: dict[str, list[float]]) -> Iterable[str]:
    return (means for means, own in times.items() if any(map(event.shown, own)))


def evenly(seconds: float) -> list[float]:
    """Spread ten times, each in the middle of its tenth."""
    return [(place + 0.5) * seconds / FRAMES for place in range(FRAMES)]


async def _by_embedding(
    video: Screening, clip: Clip, survey: Survey, local: LocalVision, limits: Limits
) -> list[list[float]]:
    async with ImageAnalysisServer() as server:
        server.of_picture, server.of_text = _of_picture, _of_text
        settings = LOCAL.model_copy(update={"endpoint": server.url, "key": SecretStr(KEY)})
        embedding = AzureEmbedding(AzureClient(settings))
        try:
            return await _each(video, clip, Chooser(local, embedding, limits.turns), survey)
        finally:
            await embedding.close()


async def _by_words(
    video: Screening, clip: Clip, survey: Survey, local: LocalVision, limits: Limits
) -> list[list[float]]:
    return await _each(video, clip, Chooser(local, None, limits.turns), survey)


async def _each(
    video: Screening, clip: Clip, chooser: Chooser, survey: Survey
) -> list[list[float]]:
    times_of_events = []
    for event in clip.events:
        times, survey = await video.chosen(chooser, survey, FrameRequest(event.question, FRAMES))
        times_of_events.append(times)
    return times_of_events


async def _by_overview(
    video: Screening, clip: Clip, survey: Survey, local: LocalVision, limits: Limits
) -> list[list[float]]:
    """Send an overview and some frames, and have the scripted model fetch the others."""
    chooser = Chooser(local, None, limits.turns)
    overview = await video.overview(survey)
    cells = await _cells(overview, local)
    times_of_events = []
    for event in clip.events:
        wish = FrameRequest(event.question, FIRST, leads=True, overview=True)
        times, _ = await video.chosen(chooser, survey, wish)
        reels = VideoFramesTool(
            {1: video.video.facts.seconds}, lambda _, numbers: video.frames(numbers), ()
        )
        for at in _wanted(cells, event.question)[: FRAMES - 1 - FIRST]:
            await reels.bring({"video": "V1", "from": clock(at), "to": clock(at), "count": 1})
        times_of_events.append([*times, *map(seconds_of, reels.requested_frames)])
    return times_of_events


@dataclass(frozen=True, slots=True)
class Cell:
    """A small frame on a contact sheet: the time above it, and how much there is of each thing."""

    at: float
    text: str
    measures: dict[str, float]


async def _cells(overview: Picture, local: LocalVision) -> list[Cell]:
    """Read a contact sheet: labels tell where the cells are."""
    sighting = await local.look(overview.jpeg, upright=True)
    sheet = decoded(overview.jpeg)
    labels = [
        (*_corner(line.polygon), read_clock(match))
        for line in sighting.lines
        if (match := CLOCK.fullmatch(line.text.strip()))
    ]
    wide, high = _step([x for x, _, _ in labels]), _step([y for _, y, _ in labels])
    cells = []
    for x, y, at in labels:
        inside = [
            line.text
            for line in sighting.lines
            if x <= (place := _corner(line.polygon))[0] < x + wide and y < place[1] < y + high
        ]
        height, width = sheet.shape[:2]
        top = y + high * 0.2
        part = sheet[int(top * height) : int((y + high) * height), int(x * width) :]
        cells.append(Cell(at, " ".join(inside), _measures(part[:, : int(wide * width)])))
    return cells


def _corner(polygon: Polygon) -> tuple[float, float]:
    return min(x for x, _ in polygon), min(y for _, y in polygon)


def _step(places: Sequence[float]) -> float:
    """Return how far columns or rows are apart."""
    gaps = np.diff(np.sort(places))
    return float(gaps[gaps > 0.05].min(initial=1.0))


def _wanted(cells: Sequence[Cell], question: str) -> list[float]:
    """Order the cells by how well they fit a question; those that show nothing of it are left."""
    topic, words = _topic(question), {word for word in question.split() if word.isupper()}
    usual = float(np.median([cell.measures[topic] for cell in cells])) if cells else 0.0
    fits = {
        cell.at: cell.measures[topic] - usual + any(word in cell.text for word in words)
        for cell in cells
    }
    return [at for at in sorted(fits, key=lambda at: -fits[at]) if fits[at] > NOISE]


TOPICS = {"sign": "board", "plate": "plate", "person": "person", "flash": "light", "red": "red"}


def _topic(question: str) -> str:
    return next(topic for word, topic in TOPICS.items() if word in question)


def _measures(pixels: Pixels) -> dict[str, float]:
    """Return how much of each thing there is in a picture, 0 to 1."""
    small = cv2.resize(pixels, SMALL, interpolation=cv2.INTER_AREA)
    hsv = cv2.cvtColor(small, cv2.COLOR_BGR2HSV)
    vivid = (hsv[..., 1] >= 110) & (hsv[..., 2] >= 60)
    red = vivid & ((hsv[..., 0] <= 7) | (hsv[..., 0] >= 172))
    fit = cv2.matchTemplate(small, _small_man(), cv2.TM_CCOEFF_NORMED).max()
    return {
        "board": _panel(vivid & (hsv[..., 0] >= 100) & (hsv[..., 0] <= 122)),
        "plate": _panel(vivid & (hsv[..., 0] >= 20) & (hsv[..., 0] <= 30)),
        "person": max(0.0, float(fit)),
        "light": float(hsv[..., 2].mean()) / 255,
        "red": min(1.0, 4 * float(red.mean())),
    }


def _panel(there: NDArray[np.bool_]) -> float:
    """Return how well a panel is filled, several times wider than high; 0 where there is none."""
    _, _, statistics, _ = cv2.connectedComponentsWithStats(there.astype(np.uint8))
    return max(
        (
            float(area / (width * height))
            for _, _, width, height, area in statistics[1:]
            if area >= LEAST_PANEL and 2 <= width / height <= 6
        ),
        default=0.0,
    )


@lru_cache(1)
def _small_man() -> Pixels:
    """Shrink the man as pictures are; without what is around him."""
    large, _ = man()
    height, width = large.shape[:2]
    middle = large[height // 16 : -height // 16, width // 4 : -width // 4]
    scale = SMALL[0] / SIZE[0]
    small: Pixels = cv2.resize(middle, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return small


def _of_picture(jpeg: bytes) -> list[float]:
    vector = np.array([ALIKE, *_measures(decoded(jpeg)).values()])
    noise = np.random.default_rng(zlib.crc32(jpeg)).normal(0, NOISE, len(vector))
    return [float(value) for value in vector + noise]


def _of_text(text: str) -> list[float]:
    return [ALIKE, *(float(name == _topic(text)) for name in TOPICS.values())]
