"""What is shown below an answer: photos with outlines, and the frames that it cites."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from bot import strings as texts
from bot.domain.files import ChosenFrame, Photo, PhotoFacts, Video, VideoFacts
from bot.domain.frame_ids import frame_number
from bot.domain.history import Status, ThreadHistory, Turn
from bot.domain.outcome import Outcome
from bot.domain.outlines import Outline
from bot.domain.threads import Thread
from bot.domain.turn_record import TurnRecord, turn_of
from bot.errors import FileProblem, Reason
from bot.ports.channel import Capabilities, DeliveryRefused, PictureAttachment, Post
from bot.ports.mailbox import AnsweredTurn, CitedFrames
from bot.replies.pictures import MOST_FRAMES, ReplyPictures, frame_citations, outlined_photos

if TYPE_CHECKING:
    from collections.abc import Sequence

THREAD = Thread("fake", "t", "c")
SQUARE = ((0.2, 0.2), (0.6, 0.2), (0.6, 0.6), (0.2, 0.6))
FACTS = VideoFacts("MP4 video", "h264", 64, 48, 9, 20.0, 25.0)


def photo(number: int) -> Photo:
    return Photo(number, f"{number:064x}", f"{number}.jpg", PhotoFacts("JPEG", 4, 3, 9), "Anna", 1)


def video(number: int) -> Video:
    return Video(number, f"{number:064x}", f"{number}.mp4", FACTS, "Anna", 1.0)


def frame(number: int, at: float) -> int:
    return frame_number(number, at)


def outline(photo: int) -> Outline:
    return Outline(1, photo, "dent", SQUARE)


def outcome(
    answer: str = "",
    frames: Sequence[int] = (),
    *,
    outlines: Sequence[Outline] = (),
    status: Status = "answered",
    **more: Any,
) -> Outcome:
    """A turn with an answer, for which these frames were chosen."""
    chosen = tuple(ChosenFrame(one, "change") for one in frames)
    turn = turn_of(
        TurnRecord(
            "1", 5.0, "Anna", "What?", answer, status, frames=chosen, outlines=tuple(outlines)
        )
    )
    return Outcome(turn, answer, False, **more)


# photos


def test_photos_with_outlines_are_pointed_at_once_each() -> None:
    past = ThreadHistory(photos=(photo(1), photo(2)))
    outlines = [outline(3), outline(1), outline(3), outline(9), outline(frame(1, 2.0))]
    assert outlined_photos(outcome(outlines=outlines, photos=(photo(3),)), past) == (
        photo(1),
        photo(3),
    )


# frames


PAST = ThreadHistory(videos=(video(1),))


def test_the_frames_that_an_answer_cites_are_shown() -> None:
    seen = [frame(1, at) for at in (2.0, 5.0, 9.0)]
    cited = frame_citations(outcome("At 0:09.0 and 0:02.0", seen), PAST)
    assert cited == (CitedFrames(video(1), (frame(1, 2.0), frame(1, 9.0))),)


def test_frames_of_an_overview_can_be_cited() -> None:
    found = frame_citations(outcome("At 0:05.0", overviews=(frame(1, 5.0),)), PAST)
    assert found == (CitedFrames(video(1), (frame(1, 5.0),)),)


def test_outlined_frames_are_shown_though_no_time_is_cited() -> None:
    outlines = [outline(frame(1, 5.0)), outline(1)]
    found = frame_citations(outcome("A dent [1].", outlines=outlines), PAST)
    assert found == (CitedFrames(video(1), (frame(1, 5.0),)),)


def test_each_video_has_its_frames_apart_and_in_order() -> None:
    seen = [frame(2, 1.0), frame(1, 2.0), frame(1, 1.0)]
    answer = "V2 0:01.0, V1 0:02.0 and 0:01.0"
    assert frame_citations(outcome(answer, seen, videos=(video(2),)), PAST) == (
        CitedFrames(video(1), (frame(1, 1.0), frame(1, 2.0))),
        CitedFrames(video(2), (frame(2, 1.0),)),
    )


@pytest.mark.parametrize("status", ["stopped", "failed"])
def test_an_answer_that_was_not_finished_shows_none(status: Status) -> None:
    assert frame_citations(outcome("At 0:02.0", [frame(1, 2.0)], status=status), PAST) == ()


def test_frames_of_a_video_that_is_kept_no_longer_are_not_shown() -> None:
    assert frame_citations(outcome("At 0:02.0", [frame(3, 2.0)]), PAST) == ()
    assert frame_citations(outcome("Nothing."), PAST) == ()


def test_there_are_not_more_frames_than_can_be_shown() -> None:
    seen = [frame(1, at) for at in range(60)]
    (cited,) = frame_citations(outcome(" ".join(f"0:{at:02}.0" for at in range(60)), seen), PAST)
    assert cited.frames == tuple(seen[:MOST_FRAMES])
    backwards = " ".join(f"0:{at:02}.0" for at in reversed(range(60)))
    (cited,) = frame_citations(outcome(backwards, seen), PAST)
    assert cited.frames == tuple(seen[-MOST_FRAMES:])


# showing


@dataclass
class Easel:
    """Draws nothing, and remembers what was to be drawn; `broken` files cannot be."""

    drawn: list[str] = field(default_factory=list)
    broken: set[str] = field(default_factory=set)

    async def draw_outlined(
        self, _: Thread, one: Photo, outlines: Sequence[Outline]
    ) -> PictureAttachment:
        return self._drawn(one.label)

    async def contact_sheet(
        self, _: Thread, cited: CitedFrames, outlines: Sequence[Outline]
    ) -> PictureAttachment:
        return self._drawn(cited.video.label)

    def _drawn(self, name: str) -> PictureAttachment:
        if name in self.broken:
            raise FileProblem(Reason.GONE)
        self.drawn.append(name)
        return PictureAttachment(name, name, b"", b"", b"")


@dataclass
class Board:
    """Remembers what was shown where; refuses pictures of these names."""

    capabilities: Capabilities = field(default_factory=lambda: Capabilities(pictures=True))
    shown: list[tuple[int, str]] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)

    async def show(self, place: int, picture: PictureAttachment) -> None:
        if picture.name in self.refused:
            raise DeliveryRefused
        self.shown.append((place, picture.name))

    async def say(self, place: int, post: Post) -> None:
        self.shown.append((place, post.text))


async def show(easel: Easel, board: Board) -> None:
    """Show two photos and the frames of two videos below an answer of two messages."""
    cited = tuple(CitedFrames(video(n), (frame(n, 1.0),)) for n in (1, 2))
    turn = Turn("1", 5.0, "Anna", "What?", "That.")
    result = AnsweredTurn(
        turn, ("This,", "that."), outlined_photos=(photo(1), photo(2)), cited_frames=cited
    )
    tools: Any = (easel, easel)
    sends: Any = board
    await ReplyPictures(*tools).show(sends, THREAD, result)


async def test_pictures_come_after_the_texts_photos_first() -> None:
    board = Board()
    await show(Easel(), board)
    assert board.shown == [(2, "P1 1.jpg"), (3, "P2 2.jpg"), (4, "V1 1.mp4"), (5, "V2 2.mp4")]


@pytest.mark.parametrize("how", ["broken", "refused"])
async def test_what_cannot_be_shown_is_told_in_its_place(how: str) -> None:
    easel, board = Easel(), Board()
    setattr(easel if how == "broken" else board, how, {"P1 1.jpg", "V1 1.mp4"})
    await show(easel, board)
    assert board.shown == [
        (2, texts.picture_not_shown("P1 1.jpg")),
        (3, "P2 2.jpg"),
        (4, texts.frames_not_shown("V1 1.mp4")),
        (5, "V2 2.mp4"),
    ]


async def test_where_no_pictures_are_taken_none_is_drawn() -> None:
    easel, board = Easel(), Board(Capabilities(pictures=False))
    await show(easel, board)
    assert (easel.drawn, board.shown) == ([], [])
