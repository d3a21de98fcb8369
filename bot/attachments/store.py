"""The files of a question: fetched, checked, numbered and kept."""

from __future__ import annotations

import asyncio
import contextlib
import re
import secrets
import unicodedata
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Generic, TypeVar

from bot.aio import fan_out
from bot.attachments.collected_files import CollectedFiles
from bot.domain.files import Photo, Video
from bot.errors import FileProblem, Reason
from bot.grounding.drawing import draw_outlined
from bot.media.contact_sheet import contact_sheet
from bot.media.photos import PreparedPhoto, crop_photo, prepare
from bot.media.pixels import fitted_size
from bot.media.size_limits import size_limits
from bot.media.video_probe import ProbedFile, open_file
from bot.ports.model import Picture
from bot.strings import files as texts

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection, Iterable, Sequence
    from pathlib import Path

    from bot.domain.boxes import Box
    from bot.domain.history import ThreadHistory
    from bot.domain.outlines import Outline
    from bot.domain.question import RequestedFile
    from bot.domain.threads import Thread
    from bot.limits import FileLimits
    from bot.ports.blobs import Blobs
    from bot.ports.channel import PictureAttachment
    from bot.sandbox import ChildProcesses


AT_ONCE = 4
"""Files of one question that are fetched and prepared side by side."""
MAX_NAME = 80

F = TypeVar("F", Photo, Video)


@dataclass(frozen=True, slots=True)
class _StoredFile:
    """A file that was opened; `is_complete` is false for a smaller copy of the original."""

    contents: PreparedPhoto | ProbedFile
    is_complete: bool


def display_name(name: str) -> str:
    """Make a stranger's file name safe to show: one line, no control characters, bounded."""
    base = re.split(r"[/\\]", name)[-1]
    clean = "".join(c for c in base if unicodedata.category(c)[0] != "C" and c not in "`<>[]|*")
    clean = " ".join(clean.split())
    return clean if len(clean) <= MAX_NAME else clean[: MAX_NAME - 8] + "…" + clean[-7:]


def blob_key(thread: Thread, sha256: str) -> str:
    """Name the original bytes of a photo in the blob store."""
    return f"{thread.key}/{sha256}"


class AttachmentStore:
    """Turns files into numbered photos and videos, and brings back earlier ones."""

    def __init__(
        self, children: ChildProcesses, blobs: Blobs, limits: FileLimits, spool: Path
    ) -> None:
        """Take the pool that decodes, the store that keeps, and a folder for files on their way."""
        self._children = children
        self._blobs = blobs
        self._limits = limits
        self._spool = spool

    async def collect(
        self,
        thread: Thread,
        files: Sequence[RequestedFile],
        past: ThreadHistory,
        progress: Callable[[int, int], None],
    ) -> CollectedFiles:
        """Fetch, check and keep all files; the failure of one does not affect the others."""

        async def one(file: RequestedFile) -> _StoredFile | FileProblem:
            try:
                return await self._take_in(thread, file)
            except FileProblem as problem:
                return problem

        def advance(count: int, _: int) -> None:
            progress(count, len(files))

        usable_files = files[: self._limits.max_files]
        results = await fan_out(one, usable_files, at_once=AT_ONCE, progress=advance)
        result = _number(usable_files, list(results.values()), past, self._limits)
        if len(files) > len(usable_files):
            note = texts.file_problem("", 0, FileProblem(Reason.TOO_MANY), self._limits)
            return replace(result, problems=(*result.problems, note))
        return result

    async def _take_in(self, thread: Thread, file: RequestedFile) -> _StoredFile:
        """Fetch one file, open it in a child, and keep the original, of a photo the picture too."""
        if file.attachment.problem is not None:
            raise FileProblem(file.attachment.problem)
        async with self._spooled() as path:
            complete = await file.fetch(file.attachment, path, size_limits(self._limits))
            contents = await self._children.run(open_file, path, self._limits)
            await self._blobs.put(blob_key(thread, contents.sha256), path)
            if isinstance(contents, PreparedPhoto):
                await self._blobs.put(self._picture_key(thread, contents.sha256), contents.jpeg)
            return _StoredFile(contents, complete)

    @contextlib.asynccontextmanager
    async def _spooled(self) -> AsyncIterator[Path]:
        """Yield a temporary path, and delete its file at the end."""
        path = self._spool / secrets.token_hex(16)
        try:
            yield path
        finally:
            await asyncio.shield(asyncio.to_thread(path.unlink, missing_ok=True))

    @contextlib.asynccontextmanager
    async def original(self, thread: Thread, sha256: str) -> AsyncIterator[Path | None]:
        """Yield the path of a photo's original; None when it is no longer stored."""
        async with self._spooled() as path:
            exists = await self._blobs.save(blob_key(thread, sha256), path)
            yield path if exists else None

    def _picture_key(self, thread: Thread, sha256: str) -> str:
        return f"{blob_key(thread, sha256)}.{self._limits.photo_side}.jpg"

    async def recall(self, thread: Thread, photos: Iterable[Photo]) -> dict[int, Picture]:
        """Bring back earlier photos by number; one that is no longer kept is left out."""
        photo_list = list(photos)
        pictures = await fan_out(partial(self._recall, thread), photo_list)
        return {
            photo_list[index].number: picture
            for index, picture in pictures.items()
            if picture is not None
        }

    async def _recall(self, thread: Thread, photo: Photo) -> Picture | None:
        jpeg = await self._blobs.get(self._picture_key(thread, photo.sha256))
        if jpeg is None:
            jpeg = await self._prepare_again(thread, photo)
        if jpeg is None:
            return None
        width, height = fitted_size(photo.facts.width, photo.facts.height, self._limits.photo_side)
        return _picture(photo, jpeg, width, height)

    async def _prepare_again(self, thread: Thread, photo: Photo) -> bytes | None:
        """Make the picture from the original, as after a change of `LOUPE_PHOTO_SIDE`.

        It is not kept: it would outlive the original, whose age counts.
        """
        async with self.original(thread, photo.sha256) as path:
            with contextlib.suppress(FileProblem):
                if path is not None:
                    return (await self._children.run(prepare, path, self._limits)).jpeg
        return None

    async def overview(self, pictures: Sequence[Picture]) -> Picture:
        """Put several pictures on one numbered contact sheet."""
        numbers = tuple(picture.numbers[0] for picture in pictures)
        cells = [(f"P{picture.numbers[0]}", picture.jpeg) for picture in pictures]
        image = await self._children.run(contact_sheet, cells, self._limits.photo_side)
        return Picture(
            name=f"P{numbers[0]}–P{numbers[-1]}",
            sha256=image.sha256,
            jpeg=image.jpeg,
            width=image.width,
            height=image.height,
            numbers=numbers,
            facts=tuple(fact for picture in pictures for fact in picture.facts),
        )

    async def crop(self, thread: Thread, photo: Photo, box: Box) -> Picture:
        """Cut a box out of a photo at full resolution; raises `FileProblem`."""
        async with self.original(thread, photo.sha256) as path:
            if path is None:
                raise FileProblem(Reason.GONE)
            image = await self._children.run(
                crop_photo, path, self._limits, box, self._limits.photo_side
            )
        name = f"P{photo.number} {box.sides}"
        return Picture(name, image.sha256, image.jpeg, image.width, image.height, (photo.number,))

    async def draw_outlined(
        self, thread: Thread, photo: Photo, outlines: Sequence[Outline]
    ) -> PictureAttachment:
        """Draw the outlines that belong to a photo on a copy of it; raises `FileProblem`."""
        picture = await self._recall(thread, photo)
        if picture is None:
            raise FileProblem(Reason.GONE)
        return await draw_outlined(self._children, picture, outlines)

    async def forget(self, thread: Thread, before: float) -> None:
        """Erase the bytes of the pictures that a thread got before that time (epoch seconds)."""
        await self._blobs.erase(thread.key, before)

    async def erase(self, thread: Thread, digests: Collection[str]) -> None:
        """Erase files of a thread by their digests, with all that was made of them."""
        if digests:
            await self._blobs.erase_some(thread.key, digests)


def _picture(photo: Photo, jpeg: bytes, width: int, height: int) -> Picture:
    return Picture(photo.label, photo.sha256, jpeg, width, height, (photo.number,), (photo.facts,))


def _number(
    files: Sequence[RequestedFile],
    results: Sequence[_StoredFile | FileProblem],
    past: ThreadHistory,
    limits: FileLimits,
) -> CollectedFiles:
    """Give numbers in posted order; the same bytes keep the number and name they had."""
    photos, videos = _Numbers(past.photos, past.next_number), _Numbers(past.videos, past.next_video)
    pictures: dict[int, Picture] = {}
    problems: list[str] = []
    for place, (file, result) in enumerate(zip(files, results, strict=True), start=1):
        name = display_name(file.attachment.name)
        if isinstance(result, FileProblem):
            problems.append(texts.file_problem(name, place, result, limits))
            continue
        contents = result.contents
        if not result.is_complete:
            problems.append(texts.smaller_copy(name, place))
        if isinstance(contents, ProbedFile):
            number, known_as = videos.give(contents.sha256, name)
            videos.files[number] = _of(file, Video, number, known_as, contents)
        else:
            number, known_as = photos.give(contents.sha256, name)
            photos.files[number] = photo = _of(file, Photo, number, known_as, contents)
            pictures[number] = _picture(photo, contents.jpeg, contents.width, contents.height)
    return CollectedFiles(
        tuple(photos.files.values()),
        tuple(pictures.values()),
        tuple(problems),
        tuple(videos.files.values()),
    )


class _Numbers(Generic[F]):
    """Numbers of the photos, or of the videos, of a thread."""

    def __init__(self, files: Sequence[F], following: int) -> None:
        self._numbers = {file.sha256: file.number for file in files}
        self._names = {file.number: file.name for file in files}
        self._following = following
        self.files: dict[int, F] = {}

    def give(self, sha256: str, name: str) -> tuple[int, str]:
        """Return the number of a file, and its name from now on."""
        number = self._numbers.setdefault(sha256, self._following)
        self._following += number == self._following
        self._names[number] = name or self._names.get(number, "")
        return number, self._names[number]


def _of(
    file: RequestedFile, noun: type[F], number: int, name: str, result: PreparedPhoto | ProbedFile
) -> F:
    return noun(
        number=number,
        sha256=result.sha256,
        name=name,
        facts=result.facts,  # type: ignore[arg-type]
        author=file.author.name,
        at=file.at,
        message=file.message,
    )
