"""The files of a question: what is looked at, what is not, and what people are told about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from bot import strings as texts
from bot.errors import FileProblem, Reason
from bot.limits import FileLimits
from tests.helpers.images import MEDIA, open_jpeg
from tests.helpers.running_bot import question_words, run_bot

if TYPE_CHECKING:
    from pathlib import Path

    from tests.helpers.running_bot import RunningBot

pytestmark = pytest.mark.asyncio(loop_scope="session")
ANSWER = "A red car with the plate KRW 301."
PHOTOS = (
    *("fruits.jpg", "passat_cc.webp", "plate_KRW301.png", "hopper_orientation_6.jpg"),
    *("copy_centre.jpg", "pil_sample_cmyk.jpg"),
)
MP4 = b"\0\0\0\x18ftypmp42\0\0\0\0mp42isom" + bytes(200)


def complaint(name: str, reason: Reason, detail: str = "", **limits: Any) -> str:
    return texts.file_problem(name, 1, FileProblem(reason, detail), FileLimits(**limits))


async def test_several_photos_of_one_message_are_one_turn(bot: RunningBot) -> None:
    chat = bot.personal()
    await chat.ask(
        "Compare them", bot.file("fruits.jpg", "a.jpg"), bot.file("copy_centre.jpg", "b.jpg")
    )
    assert chat.texts == [ANSWER]
    (request,) = bot.model.requests
    assert request.texts[-3:] == ["[P1 a.jpg]", "[P2 b.jpg]", "Compare them"]
    assert len(request.pictures) == 2


async def test_more_photos_than_the_model_takes_go_as_contact_sheets(bot: RunningBot) -> None:
    chat = bot.group()
    answer = await chat.ask("Which is best?", *(bot.photo(name) for name in PHOTOS))
    (request,) = bot.model.requests
    assert len(request.pictures) == 4
    assert request.texts[-2] == "[P4–P6 (contact sheet)]"
    assert answer == f"{ANSWER}\n\n{texts.overview_sheets([1, 2, 3], [4, 5, 6])}"
    log = await chat.ask("/photos")
    assert [line[:6] for line in log.splitlines()] == [f"- **P{n}" for n in range(1, 7)]


async def test_a_photo_without_words_is_described(bot: RunningBot) -> None:
    chat = bot.group()
    assert await chat.ask("", bot.photo("fruits.jpg")) == ANSWER
    assert question_words(bot.model.requests[0]).endswith(f"\n{texts.DESCRIBE}")


async def test_emoji_and_the_html_twin_are_no_files(registered: RunningBot) -> None:
    chat = registered.group()
    url = "https://statics.teams.cdn.office.net/evergreen-assets/emojis/smile.png"
    emoji = {"contentType": "image/*", "contentUrl": url}
    twin = {"contentType": "text/html", "content": f'<p>Hi <img src="{url}"></p>'}
    activity = chat.activity("Hi") | {"attachments": [emoji, twin]}
    assert await registered.deliver(activity) == 202
    await registered.settled()
    assert chat.texts == [ANSWER]
    assert registered.model.requests[0].pictures == []


async def test_only_the_connector_sees_the_token_of_the_bot(registered: RunningBot) -> None:
    chat = registered.personal()
    registered.teams.drive.downloads.clear()
    await chat.ask("Look", registered.photo("fruits.jpg"), registered.file("copy_centre.jpg"))
    headers = {path.split("/")[1]: header for path, header in registered.teams.drive.downloads}
    assert headers["amer"].removeprefix("Bearer ") in registered.teams.tokens.valid
    assert headers["files"] == ""
    assert len(registered.model.requests[0].pictures) == 2


async def test_a_file_that_cannot_be_used_is_named_and_the_rest_goes_on(bot: RunningBot) -> None:
    chat = bot.group()
    notes = bot.teams.file(b"Plate: KRW 301\n", "notes.txt")
    bomb = bot.file("decompression_bomb.gif", "bomb.gif")
    answer = await chat.ask("What is this?", notes, bot.photo("fruits.jpg"), bomb)
    assert answer == "\n\n".join(
        [
            complaint("notes.txt", Reason.UNSUPPORTED, "unknown format"),
            complaint("bomb.gif", Reason.TOO_MANY_PIXELS),
            ANSWER,
        ]
    )
    assert len(chat.messages) == 1
    assert len(bot.model.requests[0].pictures) == 1


@pytest.mark.parametrize(
    ("data", "name", "reason", "detail"),
    [
        (MP4, "clip.mp4", Reason.DAMAGED, ""),
        (b"", "nothing.jpg", Reason.EMPTY, ""),
        ((MEDIA / "broken.png").read_bytes(), "broken.png", Reason.DAMAGED, ""),
        (b"%PDF-1.7 \n%%EOF", "photo.jpg", Reason.UNSUPPORTED, "PDF document"),
    ],
)
async def test_a_file_without_words_that_cannot_be_used_is_all_that_is_told(
    registered: RunningBot, data: bytes, name: str, reason: Reason, detail: str
) -> None:
    chat = registered.group()
    answer = await chat.ask("", registered.teams.file(data, name))
    assert answer == complaint(name, reason, detail)
    assert registered.model.requests == []


async def test_a_link_that_has_expired_asks_for_the_file_again(registered: RunningBot) -> None:
    chat = registered.group()
    file = registered.file("fruits.jpg", "a.jpg")
    file["content"]["downloadUrl"] = file["contentUrl"].partition("?")[0]
    answer = await chat.ask("What is this?", file)
    assert answer == f"{complaint('a.jpg', Reason.EXPIRED)}\n\n{ANSWER}"


async def test_an_address_inside_the_network_is_not_asked(bot: RunningBot) -> None:
    chat = bot.group()
    inside = {"contentType": "image/png", "contentUrl": "https://169.254.169.254/metadata"}
    answer = await chat.ask("", inside | {"name": "a.png"})
    assert answer == complaint("a.png", Reason.REFUSED_ADDRESS)


async def test_a_clip_recorded_in_teams_is_declined(registered: RunningBot) -> None:
    chat = registered.group()
    clip = '<video itemtype="http://schema.skype.com/AMSVideo" src="https://as.asm.skype.com/1">'
    activity = chat.activity("") | {"attachments": [{"contentType": "text/html", "content": clip}]}
    assert await registered.deliver(activity) == 202
    await registered.settled()
    assert chat.texts == [complaint("", Reason.VIDEO_CLIP)]


async def test_a_photo_that_only_the_html_shows_is_named_with_the_remedy(
    registered: RunningBot,
) -> None:
    chat = registered.thread()
    twin = {"contentType": "text/html", "content": '<attachment id="1"></attachment>'}
    activity = chat.activity("What is this?") | {"attachments": [twin]}
    assert await registered.deliver(activity) == 202
    await registered.settled()
    assert chat.texts == [f"{complaint('', Reason.HTML_ONLY)}\n\n{ANSWER}"]


async def test_what_leaves_has_no_metadata_and_the_log_keeps_it(registered: RunningBot) -> None:
    chat = registered.group()
    await chat.ask("Where is this?", registered.photo("leuvenA.jpg"))
    assert not open_jpeg(registered.model.requests[0].pictures[0]).getexif()
    assert "° N" in await chat.ask("/photos")


async def test_a_photo_of_an_iphone_is_looked_at_upright(registered: RunningBot) -> None:
    chat = registered.group()
    assert await chat.ask("What is this?", registered.file("arrow.heic")) == ANSWER
    picture = open_jpeg(registered.model.requests[0].pictures[0])
    assert picture.width < picture.height <= 2048


async def test_files_beyond_the_limits_are_told(tmp_path: Path) -> None:
    limits: dict[str, Any] = {"max_photo_bytes": 20_000, "max_files": 2}
    async with run_bot(tmp_path, limits=limits) as bot:
        chat = bot.group()
        files = [bot.file(name) for name in ("passat_cc.webp", "fruits.jpg", "broken.png")]
        answer = await chat.ask("What is this?", *files)
        assert answer == "\n\n".join(
            [
                complaint("fruits.jpg", Reason.TOO_LARGE, **limits),
                complaint("", Reason.TOO_MANY, **limits),
                ANSWER,
            ]
        )


async def test_what_a_file_is_tells_how_large_it_may_be(tmp_path: Path) -> None:
    limits: dict[str, Any] = {"max_photo_bytes": 20_000, "max_video_bytes": 90_000}
    async with run_bot(tmp_path, limits=limits) as bot:
        chat = bot.group()
        clip = bot.teams.file(MP4 + bytes(90_000), "clip.mp4")
        contract = bot.teams.file(b"%PDF-1.7 \n" + bytes(25_000), "contract.pdf")
        answer = await chat.ask("", bot.file("fruits.jpg"), contract, clip)
        assert answer == "\n\n".join(
            [
                complaint("fruits.jpg", Reason.TOO_LARGE, **limits),
                complaint("contract.pdf", Reason.UNSUPPORTED, "PDF document", **limits),
                complaint("clip.mp4", Reason.TOO_LARGE_VIDEO, **limits),
            ]
        )
