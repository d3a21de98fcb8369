"""Offered files: accepted, declined, expired, or accepted by somebody else."""

from __future__ import annotations

import pytest

from adapters.blobs.build import open_blobs
from adapters.blobs.settings import MediaSettings
from adapters.teams.file_consent import CONSENT_CARD, INFO_CARD, FileConsents
from adapters.teams.settings import TeamsLimits, TeamsSettings
from adapters.teams.uploads import CHUNK
from bot import strings as texts
from bot.domain.messages import Author, Message
from bot.domain.threads import Thread
from bot.ports.channel import ConversationGone, DeliveryUnknown
from tests.helpers.teams_connector import connector_settings, teams_clients
from tests.servers.teams import TeamsServer

DATA = b'[{"role": "system", "content": ["..."]}]'


@pytest.fixture
async def teams():
    async with TeamsServer(authorize=True) as server:
        yield server


@pytest.fixture
async def parts(teams):
    async with teams_clients(connector_settings(teams), send_tries=3) as clients:
        yield clients


async def offer(teams, parts, data=DATA):
    address = teams.address()
    await parts.channel.send_file(address, "transcript.json", "application/json", data)


async def choose(teams, parts, value, **changes):
    address = teams.address(invoke=value, **changes)
    thread = Thread("msteams", "tenant", "conversation")
    await parts.channel.run_task(Message("f:1", thread, Author("29:alex"), address=address))


async def test_the_user_is_asked_first(teams, parts):
    await offer(teams, parts)
    [message] = teams.messages()
    [card] = message.cards
    assert (card["contentType"], card["name"]) == (CONSENT_CARD, "transcript.json")
    assert card["content"]["sizeInBytes"] == len(DATA)
    assert teams.drive.uploads == {}


async def test_the_card_tells_nothing_of_the_file(teams, parts):
    await offer(teams, parts)
    await offer(teams, parts)
    contexts = [message.cards[0]["content"]["acceptContext"] for message in teams.messages()]
    assert contexts[0] != contexts[1]
    assert all(len(context["file"]) == 48 for context in contexts)


async def test_an_accepted_file_is_saved_and_shown_in_place_of_the_card(teams, parts):
    await offer(teams, parts)
    await choose(teams, parts, teams.consent())
    [upload] = teams.drive.uploads.values()
    assert upload.is_complete
    assert upload.data == DATA
    [message] = teams.messages()
    [card] = message.cards
    assert card["contentType"] == INFO_CARD
    assert card["name"] == "transcript.json"
    assert card["content"] == {"uniqueId": next(iter(teams.drive.uploads)), "fileType": "json"}
    assert not any(DATA in blob for blob in parts.blobs.data.values())


async def test_a_large_file_goes_in_pieces(teams, parts):
    data = bytes(range(256)) * (2 * CHUNK // 256) + b"end"
    await offer(teams, parts, data)
    await choose(teams, parts, teams.consent())
    [upload] = teams.drive.uploads.values()
    assert upload.is_complete
    assert upload.data == data


@pytest.mark.parametrize("statuses", [[503], [429, 500]])
async def test_an_upload_that_fails_in_passing_is_repeated(teams, parts, statuses):
    await offer(teams, parts)
    teams.drive.faults.extend(statuses)
    await choose(teams, parts, teams.consent())
    assert next(iter(teams.drive.uploads.values())).data == DATA


@pytest.mark.parametrize("statuses", [[503] * 3, [400]])
async def test_an_upload_that_fails_is_said_and_can_be_tried_again(teams, parts, statuses):
    await offer(teams, parts)
    teams.drive.faults.extend(statuses)
    await choose(teams, parts, teams.consent())
    assert teams.texts()[-1] == texts.FILE_NOT_SAVED
    assert not teams.drive.faults
    await choose(teams, parts, teams.consent())
    assert list(teams.drive.uploads.values())[-1].data == DATA


async def test_where_cards_cannot_be_deleted_they_stay(parts):
    async with (
        TeamsServer(deletes=False) as teams,
        teams_clients(connector_settings(teams)) as parts,
    ):
        await offer(teams, parts)
        await choose(teams, parts, teams.consent())
    kinds = [message.cards[0]["contentType"] for message in teams.messages()]
    assert kinds == [CONSENT_CARD, INFO_CARD]


async def test_a_second_acceptance_is_answered_kindly(teams, parts):
    await offer(teams, parts)
    consent = teams.consent()
    await choose(teams, parts, consent)
    await choose(teams, parts, consent)
    assert teams.texts()[-1] == texts.FILE_SAVED_ALREADY
    assert len(teams.drive.uploads) == 1


async def test_a_declined_file_is_forgotten(teams, parts):
    await offer(teams, parts)
    consent = teams.consent()
    await choose(teams, parts, teams.consent("decline"))
    assert teams.texts() == [texts.FILE_DECLINED]
    assert parts.blobs.data == {}
    await choose(teams, parts, consent)
    assert teams.texts() == [texts.FILE_DECLINED, texts.FILE_EXPIRED]


async def test_a_file_that_is_no_longer_kept(teams, parts):
    await offer(teams, parts)
    parts.blobs.data.clear()
    await choose(teams, parts, teams.consent())
    assert teams.texts()[-1] == texts.FILE_EXPIRED


@pytest.mark.parametrize(("hours", "is_saved"), [(1e-9, False), (1e-2, True)])
async def test_an_offered_file_expires(teams, hours, is_saved):
    async with teams_clients(connector_settings(teams), file_hours=hours) as parts:
        await offer(teams, parts)
        await choose(teams, parts, teams.consent())
    assert any(upload.data == DATA for upload in teams.drive.uploads.values()) is is_saved
    assert (texts.FILE_EXPIRED in teams.texts()) is not is_saved


@pytest.mark.parametrize(
    "changes",
    [
        {"user": {"id": "29:mallory", "name": "Mallory"}},
        {"user": {}},
        {"conversation": "a:1another"},
        {"tenant": "another"},
    ],
)
async def test_nobody_else_can_accept_it_or_decline_it(teams, parts, changes):
    await offer(teams, parts)
    for action in ("accept", "decline"):
        await choose(teams, parts, teams.consent(action), **changes)
    assert all(not upload.data for upload in teams.drive.uploads.values())
    await choose(teams, parts, teams.consent())
    assert any(upload.data == DATA for upload in teams.drive.uploads.values())


@pytest.mark.parametrize(
    "context", [None, "", [], {}, {"file": None}, {"file": "../x"}, {"file": "0" * 47 + "g"}]
)
async def test_a_forged_context_finds_nothing(teams, parts, context):
    await choose(teams, parts, {"action": "accept", "context": context})
    assert teams.texts() == [texts.FILE_EXPIRED]


@pytest.mark.parametrize(
    "url",
    [
        "http://evil.example/",
        "https://169.254.169.254/",
        "https://127.0.0.1:1/",
        "http://127.0.0.1:1/",
        "file:///etc/passwd",
        "",
        None,
    ],
)
async def test_nothing_is_uploaded_to_a_forged_address(teams, parts, url):
    await offer(teams, parts)
    consent = teams.consent()
    consent["uploadInfo"]["uploadUrl"] = url
    await choose(teams, parts, consent)
    assert teams.texts()[-1] == texts.FILE_NOT_SAVED


@pytest.mark.parametrize("info", [None, [], "x", {}])
async def test_an_acceptance_without_a_place(teams, parts, info):
    await offer(teams, parts)
    await choose(teams, parts, teams.consent() | {"uploadInfo": info})
    assert teams.texts()[-1] == texts.FILE_NOT_SAVED


async def test_in_the_playground_its_own_origin_takes_the_file():
    async with TeamsServer() as teams, teams_clients(TeamsSettings()) as parts:
        await offer(teams, parts)
        await choose(teams, parts, teams.consent())
        assert next(iter(teams.drive.uploads.values())).data == DATA


async def test_an_offer_that_may_have_arrived_is_unclear_and_still_good(teams, parts):
    teams.cut(after=True)
    with pytest.raises(DeliveryUnknown):
        await offer(teams, parts)
    await choose(teams, parts, teams.consent())
    assert next(iter(teams.drive.uploads.values())).data == DATA


async def test_an_offer_in_a_chat_that_is_gone(teams, parts):
    teams.refuse(403, "BotNotInConversationRoster")
    with pytest.raises(ConversationGone):
        await offer(teams, parts)


@pytest.mark.parametrize("size", [0, 21 * 2**20])
async def test_files_without_bytes_or_with_too_many_are_not_offered(teams, parts, size):
    with pytest.raises(ValueError, match="cannot be offered"):
        await offer(teams, parts, bytes(size))


async def test_an_offered_file_is_forgotten_with_its_thread(teams, parts, tmp_path):
    blobs = open_blobs(MediaSettings(), tmp_path)
    consents = FileConsents(parts.connector, blobs, parts.uploads, TeamsLimits())
    address = teams.address()
    place = (address.channel, address.tenant, address.conversation)
    await consents.offer(address, "transcript.json", DATA)
    assert await blobs.erase(Thread(*place, "another").key) == 0
    assert await blobs.erase(Thread(*place).key) == 2
    await consents.settle(teams.address(invoke=teams.consent()))
    assert teams.texts()[-1] == texts.FILE_EXPIRED
    assert all(not upload.data for upload in teams.drive.uploads.values())


async def test_the_blob_store_keeps_an_offered_file(teams, parts, tmp_path):
    blobs = open_blobs(MediaSettings(), tmp_path)
    consents = FileConsents(parts.connector, blobs, parts.uploads, TeamsLimits())
    await consents.offer(teams.address(), "transcript.json", DATA)
    await consents.settle(teams.address(invoke=teams.consent()))
    assert next(iter(teams.drive.uploads.values())).data == DATA
    assert [message.cards[0]["contentType"] for message in teams.messages()] == [INFO_CARD]


async def test_the_blob_store_keeps_nothing_of_a_declined_file(teams, parts, tmp_path):
    blobs = open_blobs(MediaSettings(), tmp_path)
    consents = FileConsents(parts.connector, blobs, parts.uploads, TeamsLimits())
    await consents.offer(teams.address(), "transcript.json", DATA)
    await consents.settle(teams.address(invoke=teams.consent("decline")))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []
