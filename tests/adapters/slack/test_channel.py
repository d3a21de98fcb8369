"""The channel as Loupe sees it: what it can do where, and what Slack is asked for then."""

from __future__ import annotations

import asyncio
import json
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from adapters.chat.growing_message import GrowingMessages
from adapters.chat.streaming import Streams
from adapters.slack import channel as replies
from adapters.slack.background_work import BackgroundWork
from adapters.slack.channel import PLACES, SlackChannel
from adapters.slack.events import read_post
from adapters.slack.messages import EphemeralMessages, SlackMessages
from adapters.slack.streaming import STATUS_METHOD, AgentStatus, SlackStreamTransport
from adapters.slack.thread_history import ThreadPictures
from bot.domain.messages import Attachment, Author, Message
from bot.domain.size_limits import SizeLimits
from bot.errors import FileProblem, Reason
from bot.ports.channel import (
    Channel,
    ConversationGone,
    DeliveryRefused,
    DeliveryUnknown,
    PictureAttachment,
    Post,
    Stage,
)
from bot.ports.mailbox import NO_ID
from tests.helpers.slack_payloads import ALEX, SAM, WORKSPACE, SlackReceiver, message_event, photo
from tests.helpers.slack_wire_server import (
    CUT,
    HANG,
    PAGE_502,
    Answer,
    SlackApiServer,
    SlackClients,
    address,
    refusal,
    slack_clients,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

POST, UPDATE, EPHEMERAL = "chat.postMessage", "chat.update", "chat.postEphemeral"
START, APPEND, STOP = "chat.startStream", "chat.appendStream", "chat.stopStream"
OPENING = Post("Looking…", Stage.OPENING, live=True)
GROWING = Post("A red", Stage.GROWING, live=True)
FINAL = Post("A red car.", live=True, is_generated=True)
MESSAGE_ID = Answer({"ok": True, "ts": "7.0001"})


def channel_of(clients: SlackClients, receiver: SlackReceiver) -> SlackChannel:
    """A channel as a process has it, without what another one remembers."""
    api, limits = clients.api, clients.limits
    messages = SlackMessages(api, AgentStatus(api), limits)
    streams = Streams(SlackStreamTransport(api), limits.stream_seconds, clients.clock)
    return SlackChannel(
        GrowingMessages(messages, streams, clients.clock),
        messages,
        EphemeralMessages(api, clients.guard, clients.hosts, limits),
        clients.files,
        clients.uploads,
        clients.users,
        ThreadPictures(api, clients.users, clients.team, limits),
        BackgroundWork(api, clients.team, receiver.inbox.accept, receiver.index),
        limits,
    )


@dataclass
class ChannelSetup:
    clients: SlackClients
    receiver: SlackReceiver
    channel: Channel

    @property
    def server(self) -> SlackApiServer:
        return self.clients.server

    def successor(self) -> Channel:
        return channel_of(self.clients, self.receiver)

    def forms(self, method: str) -> list[dict[str, str]]:
        return [call.form for call in self.server.calls if call.name == method]

    def asked(self) -> list[str]:
        """The methods called, but for those that only show that Loupe is at work."""
        return [method for method in self.server.methods() if method != STATUS_METHOD]


@asynccontextmanager
async def workspace(**limits: Any) -> AsyncIterator[ChannelSetup]:
    receiver = SlackReceiver()
    async with slack_clients(**limits) as clients:
        yield ChannelSetup(clients, receiver, channel_of(clients, receiver))
    await receiver.close()


@pytest.mark.parametrize(
    ("where", "streams", "pace"),
    [({}, True, 1.0), ({"thread": ""}, False, 2.0), ({"user": ""}, False, 2.0)],
)
async def test_what_can_be_done_in_public(
    where: dict[str, str], streams: bool, pace: float
) -> None:
    async with workspace(text_limit=5_000) as parts:
        able = parts.channel.capabilities(address(**where))
    documented = PLACES["Slack, in a thread"]
    assert able == replace(documented, streams=streams, pace=pace, text_limit=5_000)
    assert (able.edits, able.files, able.pictures, able.earlier_messages, able.edit_events) == (
        True,
    ) * 5
    assert able.prefix == "!"


async def test_what_can_be_done_in_private() -> None:
    async with workspace() as parts:
        able = parts.channel.capabilities(address(private=True))
    assert able == replace(PLACES["Slack, answers to `/loupe`"], text_limit=8_000)
    assert (able.private_posts, able.edits, able.files, able.pictures) == (
        True,
        False,
        False,
        False,
    )


async def test_an_answer_grows_in_a_stream() -> None:
    async with workspace() as parts:
        parts.server.then(START, MESSAGE_ID)
        message_id = await parts.channel.post(address(), OPENING)
        await parts.channel.edit(address(), message_id, GROWING)
        await parts.channel.edit(address(), message_id, FINAL)
    assert message_id == "7.0001"
    assert parts.server.methods() == [START, APPEND, STOP]


@pytest.mark.parametrize("error", ["not_authorized", "missing_recipient_user_id", "unheard_of"])
async def test_without_a_stream_it_is_posted_and_edited(error: str) -> None:
    async with workspace() as parts:
        parts.server.then(START, refusal(error))
        parts.server.then(POST, MESSAGE_ID)
        message_id = await parts.channel.post(address(), OPENING)
        await parts.channel.edit(address(), message_id, GROWING)
        await parts.channel.edit(address(), message_id, FINAL)
    assert parts.asked() == [START, POST, UPDATE, UPDATE]
    assert [form["text"] for form in parts.forms(UPDATE)] == ["A red", "A red car."]


@pytest.mark.parametrize("fault", [CUT, PAGE_502])
async def test_a_stream_that_may_have_begun_is_unclear(fault: Answer) -> None:
    async with workspace() as parts:
        parts.server.then(START, fault)
        with pytest.raises(DeliveryUnknown):
            await parts.channel.post(address(), OPENING)
    assert parts.asked() == [START]


async def test_a_stream_that_a_dead_process_left_is_ended_by_its_successor() -> None:
    async with workspace() as parts:
        parts.server.then(START, MESSAGE_ID)
        message_id = await parts.channel.post(address(), OPENING)
        parts.server.then(UPDATE, refusal("streaming_state_conflict"))
        later = parts.successor()
        await later.edit(address(), message_id, GROWING)
        await later.edit(address(), message_id, FINAL)
    assert parts.asked() == [START, UPDATE, STOP, UPDATE, UPDATE]
    assert parts.forms(UPDATE)[-1]["text"] == "A red car."


@pytest.mark.parametrize("message_id", ["", NO_ID])
async def test_the_end_of_a_message_without_an_id_is_posted(message_id: str) -> None:
    async with workspace() as parts:
        await parts.channel.edit(address(), message_id, GROWING)
        await parts.channel.edit(address(), message_id, FINAL)
    assert parts.asked() == [POST]


@pytest.mark.parametrize(
    "error", ["message_not_found", "edit_window_closed", "cant_update_message"]
)
async def test_the_end_of_a_message_that_vanished_is_posted_anew(error: str) -> None:
    async with workspace() as parts:
        parts.server.then(UPDATE, refusal(error), refusal(error))
        await parts.channel.edit(address(), "7.0001", GROWING)
        await parts.channel.edit(address(), "7.0001", FINAL)
    assert parts.asked() == [UPDATE, UPDATE, POST]


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (refusal("channel_not_found"), ConversationGone),
        (refusal("invalid_blocks"), DeliveryRefused),
        (CUT, DeliveryUnknown),
    ],
)
async def test_what_becomes_of_a_post_is_told(answer: Answer, problem: type[Exception]) -> None:
    async with workspace() as parts:
        parts.server.then(POST, answer)
        with pytest.raises(problem):
            await parts.channel.post(address(), Post("Done."))


async def test_a_private_answer_is_told_once_and_whole() -> None:
    where = address(thread="", private=True)
    async with workspace() as parts:
        assert await parts.channel.post(where, OPENING) == ""
        await parts.channel.edit(where, NO_ID, GROWING)
        assert parts.server.calls == []
        assert await parts.channel.post(where, FINAL) == ""
        await parts.channel.edit(where, NO_ID, Post("Done."))
    assert parts.server.methods() == [EPHEMERAL] * 2
    assert [form["text"] for form in parts.forms(EPHEMERAL)] == ["A red car.", "Done."]


async def test_where_the_platform_shows_a_receipt_itself_none_is_posted() -> None:
    async with workspace() as parts:
        for post in (OPENING, FINAL):
            assert await parts.channel.post(address(quiet=True), post) == ""
            await parts.channel.edit(address(quiet=True), NO_ID, post)
    assert parts.server.methods() == [STATUS_METHOD]
    assert parts.forms(STATUS_METHOD)[0]["status"] == "active"


async def test_what_concerns_all_is_told_to_one_and_posted() -> None:
    where = address(private=True, public=True, thread="")
    async with workspace() as parts:
        parts.server.then(POST, Answer({"ok": True, "ts": "7.0001"}))
        assert await parts.channel.post(where, FINAL) == ""
    assert parts.asked() == [POST, EPHEMERAL]
    assert [form["text"] for form in parts.forms(POST)] == ["A red car."]
    assert "thread_ts" not in parts.forms(POST)[0]


async def test_what_cannot_be_posted_to_all_is_told_to_nobody_and_tried_again() -> None:
    where = address(private=True, public=True, thread="")
    async with workspace() as parts:
        parts.server.then(POST, refusal("no_permission"))
        with pytest.raises(DeliveryRefused):
            await parts.channel.post(where, FINAL)
        await parts.channel.post(where, FINAL)
    assert parts.asked() == [POST, POST, EPHEMERAL]


async def test_what_was_perhaps_posted_to_all_is_told_to_one() -> None:
    where = address(private=True, public=True, thread="")
    async with workspace() as parts:
        parts.server.then(POST, CUT)
        await parts.channel.post(where, FINAL)
    assert parts.asked() == [POST, EPHEMERAL]


async def test_what_all_were_told_is_not_told_twice_for_one_who_was_not() -> None:
    where = address(private=True, public=True, thread="")
    async with workspace() as parts:
        parts.server.then(EPHEMERAL, refusal("no_permission"))
        assert await parts.channel.post(where, FINAL) == ""
    assert parts.asked() == [POST, EPHEMERAL]


async def test_files_and_pictures_are_shared_in_the_thread() -> None:
    async with workspace() as parts:
        place = {"ok": True, "upload_url": f"{parts.server.url}/upload/1", "file_id": "F1"}
        parts.server.then("files.getUploadURLExternal", Answer(place), Answer(place))
        await parts.channel.send_file(address(), "transcript.json", "application/json", b"[]")
        picture = PictureAttachment("P1 a.heic", "A car.", b"drawn", b"small", b"photo")
        await parts.channel.send_picture(address(), picture)
    file, second = parts.forms("files.getUploadURLExternal")
    assert (file["filename"], second["filename"], second["alt_txt"]) == (
        "transcript.json",
        "P1 a.jpg",
        "A car.",
    )
    assert [upload.body for upload in parts.server.uploads] == [b"[]", b"drawn"]
    completions = parts.forms("files.completeUploadExternal")
    assert [json.loads(form["files"])[0]["title"] for form in completions] == [
        "transcript.json",
        "P1 a.heic",
    ]
    assert {form["thread_ts"] for form in completions} == {"1.0000"}


async def test_a_picture_of_a_person_is_fetched(tmp_path: Path) -> None:
    async with workspace() as parts:
        url = parts.server.picture("a.jpg", b"jpeg")
        file = Attachment("a.jpg", "", {"id": "F1", "url": url})
        await parts.channel.fetch(address(), file, tmp_path / "a", SizeLimits(100, 100))
        assert (tmp_path / "a").read_bytes() == b"jpeg"
        deleted_file = Attachment("b.jpg", "", {}, Reason.DELETED)
        with pytest.raises(FileProblem) as failure:
            await parts.channel.fetch(address(), deleted_file, tmp_path / "b", SizeLimits(100, 100))
    assert failure.value.reason is Reason.DELETED


def asking(text: str = "", **more: Any) -> Message:
    message = read_post(message_event(text, ts="9.0", thread_ts="1.0000", **more), WORKSPACE)
    assert message is not None
    return message


def known(name: str) -> Answer:
    return Answer({"ok": True, "user": {"profile": {"display_name": name}}})


async def test_names_and_files_that_slack_left_out_are_filled_in() -> None:
    stub = {"id": "F1", "mode": "file_access", "file_access": "check_file_info"}
    async with workspace() as parts:
        parts.server.then("users.info", known("Alex"))
        parts.server.then("files.info", Answer({"ok": True, "file": photo()}))
        message = await parts.channel.add_details(asking("the dent", files=[stub]))
    assert message.author == Author(ALEX, "Alex")
    assert [file.name for file in message.attachments] == ["IMG_1.jpg"]
    assert message.attachments[0].source["url"]


async def test_people_are_called_by_their_names() -> None:
    async with workspace() as parts:
        parts.server.then("users.info", known("Sam"), refusal("user_not_found"))
        await parts.clients.users.name("T1", SAM)
        question = asking(f"ask <@{SAM}> or <@UGONE>", user=SAM)
        message = await parts.channel.add_details(question)
    assert (message.text, message.author.name) == ("ask @Sam or <@UGONE>", "Sam")
    assert [form["user"] for form in parts.forms("users.info")] == [SAM, "UGONE"]


@pytest.mark.parametrize("fault", [refusal("user_not_found"), refusal("token_revoked"), PAGE_502])
async def test_a_name_that_came_along_stays_where_slack_tells_none(fault: Answer) -> None:
    async with workspace(send_tries=1) as parts:
        parts.server.then("users.info", fault)
        message = replace(asking("look"), author=Author(ALEX, "alex"))
        assert await parts.channel.add_details(message) == message


async def test_a_slack_that_is_slow_holds_no_question_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "DETAILS_SECONDS", 0.1)
    async with workspace() as parts:
        parts.server.then("users.info", HANG)
        message = asking("look")
        async with asyncio.timeout(5):
            assert await parts.channel.add_details(message) == message


async def test_a_file_that_takes_long_costs_nobody_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replies, "DETAILS_SECONDS", 0.5)
    stub = {"id": "F1", "mode": "file_access", "file_access": "check_file_info"}
    async with workspace() as parts:
        parts.server.then("users.info", known("Alex"))
        parts.server.then("files.info", HANG)
        message = await parts.channel.add_details(asking("the dent", files=[stub]))
    assert message.author.name == "Alex"
    assert [file.source["id"] for file in message.attachments] == ["F1"]


async def test_before_slack_told_who_loupe_is_a_message_stays_as_it_is() -> None:
    async with workspace() as parts:
        for team in ("T0", "T9"):
            stub = Attachment("", "", {"id": "F1", "url": "", "thumbs": []})
            message = replace(asking("look"), attachments=(stub,), address=address(team=team))
            assert await parts.channel.add_details(message) == message


async def test_what_stood_in_a_thread_before_is_told() -> None:
    async with workspace() as parts:
        post = message_event("the dent", user=SAM, ts="1.0000", files=[photo()])
        parts.server.then("conversations.replies", Answer({"ok": True, "messages": [post]}))
        [earlier] = await parts.channel.earlier_messages(asking("what is it?"))
    assert (earlier.id, earlier.author.id) == ("1.0000", SAM)


async def test_work_of_slack_s_own_is_done() -> None:
    async with workspace() as parts:
        errand = {"do": "prompts", "thread": ""}
        message = replace(asking(), kind="channel", address=address(errand=errand))
        await parts.channel.run_task(message)
    assert parts.asked() == ["assistant.threads.setSuggestedPrompts"]
