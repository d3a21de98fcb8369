from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from adapters.blobs.build import open_blobs
from adapters.blobs.settings import MediaSettings
from adapters.page import channel as channel_module
from adapters.page.channel import PageAddress, PageChannel, thread_of
from adapters.page.messages import MessageStore, PageMessage
from bot.domain.messages import Attachment, Author, Message
from bot.domain.outlines import Outline
from bot.domain.size_limits import SizeLimits
from bot.errors import FileProblem, Reason, StoreDown
from bot.ports.channel import (
    Button,
    Citation,
    DeliveryUnknown,
    FrameAttachment,
    PictureAttachment,
    Post,
    Stage,
)
from bot.retry import Backoff, RetryPolicy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.ports.blobs import Blobs

TALK = "a" * 32
ADDRESS = PageAddress(TALK, "m1", quiet=False)


class FaultyStore(MessageStore):
    """Is down for the first few writes; the last of them arrive all the same."""

    faults = 0

    async def put(self, conversation: str, message: PageMessage, *, once: bool = False) -> bool:
        if self.faults:
            self.faults -= 1
            await super().put(conversation, message, once=once)
            raise StoreDown
        return await super().put(conversation, message, once=once)


@pytest.fixture
async def store(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FaultyStore]:
    policy = RetryPolicy(tries=3, backoff=Backoff(0.0))
    monkeypatch.setattr(channel_module, "RETRY_POLICY", policy)
    client = FakeAsyncRedis(server=FakeServer(), decode_responses=True)
    yield FaultyStore(client, 3600)
    await client.aclose()


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return open_blobs(MediaSettings(), tmp_path)


@pytest.fixture
def channel(store: FaultyStore, blobs: Blobs) -> PageChannel:
    return PageChannel(store, blobs)


async def messages(store: MessageStore) -> list[dict[str, Any]]:
    return list((await store.read(TALK)).messages)


async def test_a_post_is_stored_and_grows_there(store: FaultyStore, channel: PageChannel) -> None:
    message_id = await channel.post(ADDRESS, Post("Thinking…", Stage.OPENING))
    await channel.edit(ADDRESS, message_id, Post("A red", Stage.GROWING))
    buttons = (Button("Go", "/go"),)
    await channel.edit(ADDRESS, message_id, Post("A red car", is_generated=True, buttons=buttons))
    (message,) = await messages(store)
    assert (message["id"], message["text"], message["stage"]) == (message_id, "A red car", "final")
    assert (message["by"], message["asks"], message["generated"]) == ("loupe", "m1", True)
    assert message["buttons"] == [{"title": "Go", "command": "/go"}]


async def test_the_answer_to_a_control_is_as_quiet_as_its_command(
    store: FaultyStore, channel: PageChannel
) -> None:
    await channel.post(PageAddress(TALK, "m1", quiet=True), Post("Done."))
    assert [message["quiet"] for message in await messages(store)] == [True]


async def test_a_post_that_arrived_without_a_word_is_shown_once(
    store: FaultyStore, channel: PageChannel
) -> None:
    store.faults = 2
    message_id = await channel.post(ADDRESS, Post("Hello"))
    assert [(message["id"], message["text"]) for message in await messages(store)] == [
        (message_id, "Hello")
    ]


async def test_a_store_that_stays_down_makes_it_unclear(
    store: FaultyStore, channel: PageChannel
) -> None:
    store.faults = 9
    with pytest.raises(DeliveryUnknown):
        await channel.post(ADDRESS, Post("Hello"))


async def test_an_edit_of_a_deleted_message_shows_it_again(
    store: FaultyStore, channel: PageChannel
) -> None:
    message_id = await channel.post(ADDRESS, Post("Thinking…", Stage.OPENING))
    await store.delete(TALK, message_id)
    await channel.edit(ADDRESS, message_id, Post("The answer"))
    assert [message["text"] for message in await messages(store)] == ["The answer"]


async def test_a_file_is_kept_in_the_thread_and_offered_for_download(
    store: FaultyStore, channel: PageChannel, blobs: Blobs
) -> None:
    await channel.send_file(ADDRESS, "transcript.json", "application/json", b"[]")
    (message,) = await messages(store)
    (shown,) = message["files"]
    assert (shown["name"], shown["size"], shown["media_type"]) == ("transcript.json", 2, "")
    file = await store.file(TALK, shown["ref"])
    assert file is not None
    assert file.blob.startswith(f"{thread_of(TALK).key}/files/")
    assert await blobs.get(file.blob) == b"[]"


async def test_a_picture_is_the_plain_photo_with_its_outlines_as_data(
    store: FaultyStore, channel: PageChannel, blobs: Blobs
) -> None:
    outline = Outline(1, 1, "car", ((0.1, 0.2), (0.3, 0.2), (0.3, 0.4), (0.1, 0.4)))
    store.faults = 1
    await channel.send_picture(
        ADDRESS, PictureAttachment("P1 a.heic", "A car.", b"drawn", b"small", b"photo", (outline,))
    )
    (message,) = await messages(store)
    shown = message["picture"]
    assert (message["by"], message["asks"], message["stage"]) == ("loupe", "m1", "final")
    assert (shown["name"], shown["alt"]) == ("P1 a.heic", "A car.")
    assert shown["outlines"] == [
        {
            "number": 1,
            "photo": 1,
            "label": "car",
            "polygon": [[0.1, 0.2], [0.3, 0.2], [0.3, 0.4], [0.1, 0.4]],
        }
    ]
    file = await store.file(TALK, shown["ref"])
    assert file is not None
    assert file.media_type == "image/jpeg"
    assert await blobs.get(file.blob) == b"photo"


async def test_frames_are_kept_each_by_itself_instead_of_their_sheet(
    store: FaultyStore, channel: PageChannel, blobs: Blobs
) -> None:
    outline = Outline(1, 1, "car", ((0.1, 0.2), (0.3, 0.2), (0.3, 0.4), (0.1, 0.4)))
    frames = (
        FrameAttachment("V1 0:03.2", "A road.", b"road"),
        FrameAttachment("V1 0:12.4", "A car.", b"car", (outline,)),
    )
    await channel.send_picture(
        ADDRESS,
        PictureAttachment("V1 a.mp4", "Two frames.", b"sheet", b"small", b"sheet", frames=frames),
    )
    (message,) = await messages(store)
    shown = message["picture"]
    assert (shown["name"], shown["alt"], shown["outlines"]) == ("V1 a.mp4", "Two frames.", [])
    assert [(each["name"], each["alt"]) for each in shown["frames"]] == [
        ("V1 0:03.2", "A road."),
        ("V1 0:12.4", "A car."),
    ]
    assert [len(each["outlines"]) for each in shown["frames"]] == [0, 1]
    files = [await store.file(TALK, each["ref"]) for each in shown["frames"]]
    assert [file and file.media_type for file in files] == ["image/jpeg"] * 2
    assert [await blobs.get(file.blob) for file in files if file] == [b"road", b"car"]


async def test_citations_are_stored(store: FaultyStore, channel: PageChannel) -> None:
    await channel.post(ADDRESS, Post("A car [1].", citations=(Citation(1, "car", "On P1."),)))
    (message,) = await messages(store)
    assert message["citations"] == [{"number": 1, "name": "car", "abstract": "On P1."}]
    assert message["picture"] is None


async def test_an_upload_is_fetched_from_where_it_is_kept(
    channel: PageChannel, blobs: Blobs, tmp_path: Path
) -> None:
    await blobs.put("thread/up/1", b"picture")
    file = Attachment("a.jpg", "", {"blob": "thread/up/1"})
    await channel.fetch(ADDRESS, file, tmp_path / "into", SizeLimits(7, 7))
    assert (tmp_path / "into").read_bytes() == b"picture"


@pytest.mark.parametrize(("ref", "reason"), [("large", Reason.TOO_LARGE), ("none", Reason.GONE)])
async def test_an_upload_that_cannot_be_had_says_why(
    channel: PageChannel, blobs: Blobs, tmp_path: Path, ref: str, reason: Reason
) -> None:
    """The limit may have been lowered since the upload came."""
    await blobs.put("thread/up/large", b"\xff\xd8\xff" + bytes(5))
    file = Attachment("a.jpg", "", {"blob": f"thread/up/{ref}"})
    with pytest.raises(FileProblem) as error:
        await channel.fetch(ADDRESS, file, tmp_path / "into", SizeLimits(7, 99))
    assert error.value.reason is reason


def test_the_page_can_do_everything(channel: PageChannel) -> None:
    able = channel.capabilities(ADDRESS)
    assert (channel.name, able.edits, able.files, able.pictures) == ("page", True, True, True)
    assert (able.pace, able.text_limit) == (0.15, 100_000)


async def test_a_message_of_the_page_is_complete_and_nothing_earlier_is_told(
    channel: PageChannel,
) -> None:
    files = (Attachment("a.jpg", "", {"blob": "thread/up/1"}),)
    message = Message("m1", thread_of(TALK), Author("me", "You"), "hello", files, ADDRESS)
    assert await channel.add_details(message) is message
    assert await channel.earlier_messages(message) == ()
    assert not channel.capabilities(ADDRESS).earlier_messages


async def test_the_page_has_no_background_tasks(store: FaultyStore, channel: PageChannel) -> None:
    await channel.run_task(Message("m1", thread_of(TALK), Author("me"), kind="channel"))
    assert await messages(store) == []
