"""Files in Slack: of any kind, out of reach, large, moving; and the pictures that go back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from bot import strings as texts
from tests.helpers.images import MEDIA
from tests.helpers.running_bot import question_words
from tests.helpers.slack_payloads import MENTION
from tests.helpers.slack_workspace import CAR, open_workspace
from tests.servers.openai import call_tools, say, tool_call_start

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.slack_workspace import SlackWorkspace, SlackWorkspaces

pytestmark = pytest.mark.asyncio(loop_scope="session")

SIGN = (MEDIA / "notice_double_parking.jpg").read_bytes()


@pytest_asyncio.fixture(loop_scope="session")
async def workspace(workspaces: SlackWorkspaces, fast_rates: None) -> SlackWorkspace:
    return await workspaces.get("http")


async def test_any_number_of_files_is_one_question(workspace: SlackWorkspace) -> None:
    photos = [workspace.slack.file(CAR), workspace.slack.file(SIGN, "sign.jpg")]
    assert await workspace.ask("Which is the sign?", *photos)
    (request,) = workspace.bot.model.requests
    assert len(request.pictures) == 2


async def test_photos_posted_one_by_one_are_answered_together(workspace: SlackWorkspace) -> None:
    workspace.bot.model.then(say("Fruit, and a sign."))
    thread = await workspace.say("", workspace.slack.file(CAR))
    await workspace.say("", workspace.slack.file(SIGN), thread_ts=thread)
    await workspace.say("What are they?", thread_ts=thread)
    (answer,) = await workspace.answered(thread)
    assert answer.text == "Fruit, and a sign."
    (request,) = workspace.bot.model.requests
    assert question_words(request).endswith("What are they?")


async def test_a_heic_photo_is_read(workspace: SlackWorkspace) -> None:
    data = (MEDIA / "arrow.heic").read_bytes()
    file = workspace.slack.file(data, "IMG_0042.HEIC", "image/heic")
    thread = await workspace.say("What is this?", file)
    await workspace.answered(thread)
    assert "HEIC" in await workspace.ask("!photos", thread_ts=thread)
    assert len(workspace.bot.model.requests[0].pictures) == 1


async def test_of_a_photo_out_of_reach_slacks_smaller_copy_is_looked_at(
    workspace: SlackWorkspace,
) -> None:
    small = workspace.slack.file(CAR)
    original = workspace.slack.file(SIGN, "IMG_0042.heic", "image/heic")
    del workspace.slack.files[original["id"]]
    answer = await workspace.ask("What is this?", {**original, "thumb_1024": small["url_private"]})
    assert answer.startswith(texts.smaller_copy("IMG_0042.heic", 1))
    assert len(workspace.bot.model.requests[0].pictures) == 1


async def test_a_page_to_sign_in_is_not_taken_for_a_photo(workspace: SlackWorkspace) -> None:
    file = {**workspace.slack.file(CAR), "url_private": f"{workspace.slack.url}/login"}
    answer = await workspace.ask("What is this?", file)
    assert "`car.jpg` could not be used" in answer
    assert "text/html" not in answer
    assert workspace.bot.files() == []


async def test_a_file_elsewhere_is_never_asked_for_with_the_token(
    workspace: SlackWorkspace,
) -> None:
    file = {**workspace.slack.file(CAR), "url_private": f"{workspace.bot.model.url}/v1/models"}
    answer = await workspace.ask("What is this?", file)
    assert "`car.jpg` could not be used" in answer
    assert workspace.bot.model.requests[0].pictures == []


async def test_the_outlined_photo_is_uploaded_into_the_thread(workspace: SlackWorkspace) -> None:
    box = {"photo": "P1", "label": "apple", "box": [100, 100, 400, 400]}
    workspace.bot.model.then(
        call_tools(tool_call_start("outline", json.dumps(box))), say("The apple [1].")
    )
    thread = await workspace.say("Where is the apple?", workspace.slack.file(CAR))
    await workspace.slack.until(lambda: workspace.slack.uploads)
    await workspace.bot.settled()
    ((where, name, data),) = workspace.slack.uploads
    assert (where, name) == (thread, "P1 car.jpg")
    assert data.startswith(b"\xff\xd8")


async def test_a_video_is_looked_through(workspace: SlackWorkspace) -> None:
    film = (MEDIA / "street_bikes_taxi.mp4").read_bytes()
    file = workspace.slack.file(film, "street.mp4", "video/mp4")
    workspace.bot.model.then(say("A taxi passes."))
    thread = await workspace.say(f"{MENTION} what happens?", file, channel="C1")
    (answer,) = await workspace.answered(thread)
    assert answer.text.startswith("A taxi passes.")
    assert answer.steps[0] == texts.placeholder(0, 1)
    response = await workspace.ask("!photos", channel="C1", thread_ts=thread)
    assert response.startswith("- **V1** `street.mp4`")


async def test_a_file_that_is_too_large_is_told(tmp_path: Path) -> None:
    async with open_workspace(tmp_path, limits={"max_photo_bytes": 50_000}) as workspace:
        answer = await workspace.ask("What is this?", workspace.slack.file(CAR))
    assert "`car.jpg` could not be used" in answer
