"""Seeing with Image Analysis, over HTTP, with all that can go wrong there."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken
from azure.core.exceptions import ClientAuthenticationError

from adapters.vision.azure import NOT_SENT, AzureVision
from adapters.vision.azure_client import API_VERSION
from adapters.vision.settings import VisionSettings
from bot.domain.sightings import DetectedObject, Sighting, TextLine
from bot.errors import FileProblem, Reason, VisionProblem, VisionReason
from bot.limits import ChildLimits, FileLimits
from tests.helpers.fakes import FakeClock
from tests.helpers.images import MEDIA, corners_image, encode_image, exif_block
from tests.servers.image_analysis import (
    CUT,
    HALF,
    KEY,
    ImageAnalysisServer,
    PictureContent,
    Reply,
    fail,
    throttling,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from bot.clock import Clock

STREET = PictureContent(
    lines=(((0.25, 0.5, 0.25, 0.125), (("AB", 0.99), ("12", 0.91), ("CDE", 0.97))),),
    objects=(
        ((0.5, 0.5, 0.25, 0.25), "Car", 0.77),
        ((0.0, 0.0, 0.125, 0.5), "person", 0.9),
    ),
    people=(((0.0, 0.0, 0.125, 0.5), 0.95), ((0.75, 0.0, 0.125, 0.5), 0.002)),
    captions=("a car at a kerb", "a plate", "a plate"),
)
PHOTO = encode_image(corners_image(160, 80))
ALL = {"read", "objects", "people", "denseCaptions"}


@pytest.fixture
async def server() -> AsyncIterator[ImageAnalysisServer]:
    async with ImageAnalysisServer(STREET) as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@asynccontextmanager
async def seeing(
    server: ImageAnalysisServer, clock: Clock | None = None, credential: Any = None, **set_: Any
) -> AsyncIterator[AzureVision]:
    values = {"endpoint": server.url, "key": KEY} | set_
    settings = VisionSettings(_env_file=None, **values)
    vision = AzureVision(
        settings, FileLimits(_env_file=None), ChildLimits(_env_file=None), credential, clock
    )
    try:
        yield vision
    finally:
        await vision.close()


async def failure(vision: AzureVision) -> VisionProblem | FileProblem:
    with pytest.raises((VisionProblem, FileProblem)) as caught:
        await vision.look(PHOTO)
    assert isinstance(caught.value, VisionProblem | FileProblem)
    return caught.value


async def test_a_picture_is_seen_in_fractions(server: ImageAnalysisServer) -> None:
    async with seeing(server) as vision:
        seen = await vision.look(PHOTO)
    plate = ((0.25, 0.5), (0.5, 0.5), (0.5, 0.625), (0.25, 0.625))
    assert seen == Sighting(
        lines=(TextLine("AB 12 CDE", plate, 0.91),),
        things=(
            DetectedObject("person", ((0.0, 0.0), (0.125, 0.0), (0.125, 0.5), (0.0, 0.5)), 0.95),
            DetectedObject("car", ((0.5, 0.5), (0.75, 0.5), (0.75, 0.75), (0.5, 0.75)), 0.77),
        ),
        captions=("a car at a kerb", "a plate"),
        engine=f"Azure AI Vision {API_VERSION}",
    )
    [request] = server.requests
    assert (request.features, request.version, request.key) == (ALL, "2024-02-01", KEY)
    assert request.body == PHOTO


async def test_an_identity_takes_the_place_of_the_key(server: ImageAnalysisServer) -> None:
    class Identity:
        scopes: tuple[str, ...] = ()
        closed = False

        async def get_token(self, *scopes: str, **_: Any) -> AccessToken:
            self.scopes = scopes
            return AccessToken("token-of-the-tests", 2**40)

        async def close(self) -> None:
            self.closed = True

    identity = Identity()
    async with seeing(server, credential=identity, key=None) as vision:
        await vision.look(PHOTO)
    assert server.requests[0].token == "token-of-the-tests"
    assert identity.scopes == ("https://cognitiveservices.azure.com/.default",)
    assert identity.closed


async def test_an_identity_that_is_not_there_is_unauthorized(server: ImageAnalysisServer) -> None:
    class Nobody:
        async def get_token(self, *_: str, **__: Any) -> AccessToken:
            raise ClientAuthenticationError("no identity was found")

        async def close(self) -> None:
            pass

    async with seeing(server, credential=Nobody(), key=None) as vision:
        assert (await failure(vision)).reason is VisionReason.UNAUTHORIZED
    assert server.requests == []


async def test_a_region_without_captions_is_found_out_once(server: ImageAnalysisServer) -> None:
    server.captions = False
    async with seeing(server) as vision:
        first = await vision.look(PHOTO)
        await asyncio.gather(*(vision.look(PHOTO) for _ in range(3)))
    assert first.lines
    assert first.captions == ()
    assert [request.features for request in server.requests] == [
        ALL,
        *4 * [ALL - {"denseCaptions"}],
    ]


async def test_pictures_side_by_side_find_it_out_once(server: ImageAnalysisServer) -> None:
    server.captions = False
    async with seeing(server) as vision:
        await asyncio.gather(*(vision.look(PHOTO) for _ in range(4)))
    assert [ALL for request in server.requests if request.features == ALL] == [ALL]
    assert len(server.requests) == 5


async def test_a_wrong_picture_is_not_mistaken_for_a_region(server: ImageAnalysisServer) -> None:
    server.then(fail(400, "InvalidRequest", "InvalidImageFormat", "Not a feature of images."))
    async with seeing(server) as vision:
        problem = await failure(vision)
        assert (await vision.look(PHOTO)).captions
    assert problem.reason is Reason.UNSUPPORTED
    assert len(server.requests) == 2


@pytest.mark.parametrize(
    ("reply", "reason", "tries"),
    [
        (fail(400, "InvalidRequest", "InvalidImageSize"), Reason.UNSUPPORTED, 1),
        (fail(400, "InvalidRequest", "BadArgument", "No."), VisionReason.BAD_REQUEST, 1),
        (fail(403, "AccessDenied"), VisionReason.UNAUTHORIZED, 1),
        (fail(404, "404", message="Resource not found."), VisionReason.BAD_REQUEST, 1),
        (fail(413, "TooLarge"), Reason.TOO_LARGE, 1),
        (Reply(302, "", {"Location": "https://elsewhere.example/"}), VisionReason.BAD_REQUEST, 1),
        (fail(429, "429"), VisionReason.BUSY, 4),
        (fail(500, "InternalServerError"), VisionReason.FAILED, 4),
        (Reply(503, "<html>Service Unavailable</html>"), VisionReason.FAILED, 4),
        (Reply(200, "not JSON", {"Content-Type": "application/json"}), VisionReason.FAILED, 4),
        (Reply(200, "<html>Sign in</html>"), VisionReason.FAILED, 4),
        (CUT, VisionReason.UNREACHABLE, 4),
        (HALF, VisionReason.UNREACHABLE, 4),
    ],
    ids=lambda value: str(getattr(value, "status", value)),
)
async def test_every_refusal_has_its_name_and_is_tried_again_where_that_helps(
    server: ImageAnalysisServer, clock: FakeClock, reply: Reply, reason: Any, tries: int
) -> None:
    server.then(*4 * [reply])
    async with seeing(server, clock) as vision:
        problem = await failure(vision)
    assert problem.reason is reason
    assert len(server.requests) == tries


async def test_a_result_of_another_shape_is_the_service_s_failure(
    server: ImageAnalysisServer,
) -> None:
    server.then(Reply(200, {"modelVersion": "2024-02-01"}))
    async with seeing(server) as vision:
        assert (await failure(vision)).reason is VisionReason.FAILED


async def test_a_wrong_key_is_not_told(server: ImageAnalysisServer) -> None:
    async with seeing(server, key="wrong-key-of-somebody") as vision:
        problem = await failure(vision)
    assert problem.reason is VisionReason.UNAUTHORIZED
    assert str(problem) == "unauthorized: 401 PermissionDenied"


async def test_throttling_ends_in_an_answer_after_the_time_asked_for(
    server: ImageAnalysisServer, clock: FakeClock
) -> None:
    server.then(throttling(7), throttling(3))
    async with seeing(server, clock) as vision:
        assert (await vision.look(PHOTO)).lines
    assert sum(clock.waits) == pytest.approx(10)


async def test_a_longer_wait_than_allowed_is_not_begun(
    server: ImageAnalysisServer, clock: FakeClock
) -> None:
    server.then(throttling(60))
    async with seeing(server, clock, retry_seconds=20) as vision:
        problem = await failure(vision)
    assert problem.reason is VisionReason.BUSY
    assert clock.waits == []
    assert len(server.requests) == 1


async def test_throttling_holds_the_other_pictures_too(
    server: ImageAnalysisServer, clock: FakeClock
) -> None:
    server.then(throttling(5))
    async with seeing(server, clock, tries=1) as vision:
        await failure(vision)
        await vision.look(PHOTO)
    assert clock.waits == [5]


async def test_the_rate_of_the_tier_is_kept(server: ImageAnalysisServer, clock: FakeClock) -> None:
    async with seeing(server, clock, rate="2/min", wait_seconds=70) as vision:
        for _ in range(4):
            await vision.look(PHOTO)
    assert clock.waits == [60]


async def test_a_picture_whose_turn_is_too_far_off_is_given_up(
    server: ImageAnalysisServer, clock: FakeClock
) -> None:
    async with seeing(server, clock, rate="1/min", wait_seconds=30) as vision:
        await vision.look(PHOTO)
        assert (await failure(vision)).reason is VisionReason.BUSY
    assert len(server.requests) == 1


async def test_only_so_many_pictures_are_with_the_service_at_once(
    server: ImageAnalysisServer,
) -> None:
    async with seeing(server, at_once=2) as vision:
        await vision.look(PHOTO)
        server.gate = asyncio.Event()
        looks = [asyncio.create_task(vision.look(PHOTO)) for _ in range(5)]
        async with asyncio.timeout(5):
            while server.at_once < 2:
                await asyncio.sleep(0.01)
        server.gate.set()
        await asyncio.gather(*looks)
    assert server.most_at_once == 2


async def test_a_silent_service_is_given_up(server: ImageAnalysisServer) -> None:
    server.gate = asyncio.Event()
    async with seeing(server, request_seconds=0.05, tries=1) as vision:
        assert (await failure(vision)).reason is VisionReason.TIMED_OUT


async def test_a_service_that_is_away_cannot_be_reached() -> None:
    async with ImageAnalysisServer() as server:
        gone = server.url
    server.url = gone
    async with seeing(server, tries=1) as vision:
        assert (await failure(vision)).reason is VisionReason.UNREACHABLE


async def test_a_small_picture_is_enlarged(server: ImageAnalysisServer) -> None:
    async with seeing(server) as vision:
        seen = await vision.look(encode_image(corners_image(40, 20)))
    assert server.requests[0].size == (120, 60)
    assert seen.lines[0].polygon[0] == (0.25, 0.5)


async def test_a_picture_too_narrow_is_not_sent(server: ImageAnalysisServer) -> None:
    async with seeing(server) as vision:
        seen = await vision.look(encode_image(corners_image(3000, 4)))
    assert seen == Sighting(engine=NOT_SENT)
    assert server.requests == []


async def test_the_original_is_sent_where_it_shows_more_but_not_what_it_tells(
    server: ImageAnalysisServer, tmp_path: Path
) -> None:
    original = tmp_path / "photo"
    exif = exif_block({0x010F: "Maker of Cameras", 0x0112: 6})
    original.write_bytes(encode_image(corners_image(640, 320), exif=exif))
    async with seeing(server) as vision:
        seen = await vision.look(encode_image(corners_image(80, 160)), original)
    [request] = server.requests
    assert request.size == (320, 640)
    assert b"Maker" not in request.body
    assert seen.lines[0].polygon[0] == (0.25, 0.5)


async def test_an_original_that_is_too_large_for_the_service_is_made_smaller(
    server: ImageAnalysisServer, tmp_path: Path
) -> None:
    original = tmp_path / "photo"
    original.write_bytes(encode_image(corners_image(1200, 600)))
    async with seeing(server, upload_side=1000) as vision:
        await vision.look(PHOTO, original)
    assert server.requests[0].size == (1000, 500)


@pytest.mark.parametrize("broken", ["decompression_bomb.gif", "truncated.heic", "nothing there"])
async def test_an_original_that_cannot_be_opened_leaves_the_picture(
    server: ImageAnalysisServer, broken: str
) -> None:
    async with seeing(server) as vision:
        await vision.look(PHOTO, MEDIA / broken)
    assert server.requests[0].body == PHOTO


async def test_an_original_that_shows_no_more_is_not_sent(
    server: ImageAnalysisServer, tmp_path: Path
) -> None:
    original = tmp_path / "photo"
    original.write_bytes(PHOTO)
    async with seeing(server) as vision:
        await vision.look(PHOTO, original)
    assert server.requests[0].body == PHOTO


async def test_the_check_tells_of_the_captions(server: ImageAnalysisServer) -> None:
    async with seeing(server) as vision:
        told = await vision.check()
    assert (
        told == f"Azure AI Vision {API_VERSION} answers at 127.0.0.1, with captions in its region."
    )


async def test_the_check_tells_what_to_do(server: ImageAnalysisServer) -> None:
    async with seeing(server, key="wrong") as vision:
        with pytest.raises(VisionProblem) as caught:
            await vision.check()
    assert "Check VISION_KEY" in str(caught.value)
    assert "127.0.0.1" in str(caught.value)


async def test_a_cancelled_look_frees_its_place(server: ImageAnalysisServer) -> None:
    server.gate = asyncio.Event()
    async with seeing(server, at_once=1) as vision:
        look = asyncio.create_task(vision.look(PHOTO))
        async with asyncio.timeout(5):
            while not server.requests:
                await asyncio.sleep(0.01)
        look.cancel()
        with pytest.raises(asyncio.CancelledError):
            await look
        server.gate.set()
        assert (await vision.look(PHOTO)).lines
