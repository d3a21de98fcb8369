"""Pictures and words as vectors of Azure AI Vision, with all that can go wrong there."""

from __future__ import annotations

import asyncio
import math
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import pytest
from azure.core.credentials import AccessToken
from structlog.testing import capture_logs

from adapters.vision.azure import AzureVision
from adapters.vision.azure_client import AzureClient
from adapters.vision.azure_embedding import NOT_OFFERED, AzureEmbedding
from adapters.vision.settings import VisionSettings
from bot.errors import FileProblem, Reason, VisionProblem, VisionReason
from bot.limits import ChildLimits, FileLimits
from tests.helpers.fakes import FakeClock
from tests.helpers.images import BLUE, RED, corners_image, detailed_image, encode_image, open_jpeg
from tests.servers.image_analysis import (
    CUT,
    DIMENSIONS,
    HALF,
    KEY,
    OF_PICTURES,
    OF_TEXTS,
    ImageAnalysisServer,
    Reply,
    fail,
    throttling,
    vector_response,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from bot.clock import Clock

PHOTO = encode_image(corners_image(160, 80))


@pytest.fixture
async def server() -> AsyncIterator[ImageAnalysisServer]:
    async with ImageAnalysisServer() as server:
        yield server


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


def configured(server: ImageAnalysisServer, **set_: Any) -> VisionSettings:
    return VisionSettings(_env_file=None, **{"endpoint": server.url, "key": KEY} | set_)


@asynccontextmanager
async def embedding(
    server: ImageAnalysisServer, clock: Clock | None = None, credential: Any = None, **set_: Any
) -> AsyncIterator[AzureEmbedding]:
    made = AzureEmbedding(AzureClient(configured(server, **set_), credential, clock))
    try:
        yield made
    finally:
        await made.close()


async def failure(made: AzureEmbedding) -> VisionProblem | FileProblem:
    with pytest.raises((VisionProblem, FileProblem)) as caught:
        await made.picture(PHOTO)
    assert isinstance(caught.value, VisionProblem | FileProblem)
    return caught.value


def cosine(one: tuple[float, ...], other: tuple[float, ...]) -> float:
    products = sum(a * b for a, b in zip(one, other, strict=True))
    return products / math.hypot(*one) / math.hypot(*other)


async def test_words_are_nearest_to_the_picture_they_tell_of(server: ImageAnalysisServer) -> None:
    server.of_picture = lambda jpeg: open_jpeg(jpeg).resize((1, 1)).getpixel((0, 0))
    server.of_text = lambda text: RED if "red" in text else BLUE
    image = corners_image(64, 64)
    red, blue = (encode_image(image.crop(part)) for part in ((0, 0, 32, 32), (0, 32, 32, 64)))
    async with embedding(server) as made:
        asked = await made.words("the red one")
        near, far = await made.picture(red), await made.picture(blue)
    assert cosine(asked, near) > 0.99 > cosine(asked, far)
    assert len(asked) == len(near) == DIMENSIONS


async def test_the_requests_are_those_of_the_service(server: ImageAnalysisServer) -> None:
    async with embedding(server) as made:
        await made.picture(PHOTO)
        await made.words("  a car\n accident ")
    picture, words = server.requests
    assert (picture.path, picture.body) == (OF_PICTURES, PHOTO)
    assert (words.path, words.text) == (OF_TEXTS, "a car accident")
    for request in (picture, words):
        assert (request.version, request.model) == ("2024-02-01", "2023-04-15")
        assert request.key == KEY


async def test_an_identity_takes_the_place_of_the_key(server: ImageAnalysisServer) -> None:
    class Identity:
        closed = False

        async def get_token(self, *_: str, **__: Any) -> AccessToken:
            return AccessToken("token-of-the-tests", 2**40)

        async def close(self) -> None:
            self.closed = True

    identity = Identity()
    async with embedding(server, credential=identity, key=None) as made:
        await made.words("a car")
    assert server.requests[0].token == "token-of-the-tests"
    assert server.requests[0].key == ""
    assert identity.closed


async def test_only_the_first_seventy_words_are_sent(server: ImageAnalysisServer) -> None:
    async with embedding(server) as made:
        await made.words(" ".join(str(number) for number in range(500)))
    assert server.requests[0].text.split() == [str(number) for number in range(70)]


async def test_no_words_are_not_sent(server: ImageAnalysisServer) -> None:
    async with embedding(server) as made:
        with pytest.raises(VisionProblem) as caught:
            await made.words(" \n")
    assert caught.value.reason is VisionReason.BAD_REQUEST
    assert server.requests == []


async def test_a_small_picture_is_enlarged(server: ImageAnalysisServer) -> None:
    async with embedding(server) as made:
        await made.picture(encode_image(corners_image(12, 8)))
        await made.picture(encode_image(corners_image(12, 12)))
    assert [request.size for request in server.requests] == [(24, 16), (12, 12)]


@pytest.mark.parametrize(
    "picture", [encode_image(corners_image(9000, 4)), b"no JPEG", b"", bytes(20 << 20)]
)
async def test_a_picture_that_cannot_fit_is_not_sent(
    server: ImageAnalysisServer, picture: bytes
) -> None:
    async with embedding(server) as made:
        with pytest.raises(FileProblem) as caught:
            await made.picture(picture)
    assert caught.value.reason is Reason.UNSUPPORTED
    assert server.requests == []


async def test_a_large_picture_is_whole_at_every_try(
    server: ImageAnalysisServer, clock: FakeClock
) -> None:
    server.then(fail(500, "InternalServerError"))
    large = encode_image(detailed_image(1600, 1600))
    async with embedding(server, clock) as made:
        await made.picture(large)
    assert len(large) > 1 << 20
    assert [request.body for request in server.requests] == [large, large]


@pytest.mark.parametrize(
    ("reply", "reason", "tries"),
    [
        (fail(400, "InvalidRequest", "InvalidImageFormat"), Reason.UNSUPPORTED, 1),
        (fail(400, "InvalidRequest", "BadArgument", "No."), VisionReason.BAD_REQUEST, 1),
        (fail(403, "AccessDenied"), VisionReason.UNAUTHORIZED, 1),
        (fail(413, "TooLarge"), Reason.TOO_LARGE, 1),
        (Reply(302, "", {"Location": "https://elsewhere.example/"}), VisionReason.BAD_REQUEST, 1),
        (fail(429, "429"), VisionReason.BUSY, 4),
        (Reply(503, "<html>Service Unavailable</html>"), VisionReason.FAILED, 4),
        (Reply(200, "<html>Sign in</html>"), VisionReason.FAILED, 4),
        (Reply(200, '{"vector": [1', {"Content-Type": "application/json"}), VisionReason.FAILED, 4),
        (CUT, VisionReason.UNREACHABLE, 4),
        (HALF, VisionReason.UNREACHABLE, 4),
    ],
    ids=lambda value: str(getattr(value, "status", value)),
)
async def test_every_refusal_has_its_name_and_is_tried_again_where_that_helps(
    server: ImageAnalysisServer, clock: FakeClock, reply: Reply, reason: Any, tries: int
) -> None:
    server.then(*4 * [reply])
    async with embedding(server, clock) as made:
        problem = await failure(made)
        assert len(server.requests) == tries
        server.forget()
        assert await made.picture(PHOTO)
    assert problem.reason is reason


@pytest.mark.parametrize(
    "told",
    [
        {},
        [],
        None,
        {"vector": None},
        {"vector": [1.0, 2.0]},
        vector_response((1.0,))["vector"],
        {"vector": DIMENSIONS * ["1.0"]},
        {"vector": DIMENSIONS * [True]},
        vector_response((math.nan,)),
        vector_response((1.0, math.inf)),
        vector_response((10**400,)),
        vector_response((0.0,)),
        vector_response(DIMENSIONS * (1.0,) + (1.0,)),
    ],
    ids=lambda told: str(told)[:40],
)
async def test_an_answer_of_another_shape_is_the_service_s_failure(
    server: ImageAnalysisServer, told: Any
) -> None:
    server.then(Reply(200, told))
    async with embedding(server) as made:
        assert (await failure(made)).reason is VisionReason.FAILED
    assert len(server.requests) == 1


async def test_whole_numbers_are_numbers(server: ImageAnalysisServer) -> None:
    server.of_text = lambda _: (1, -2)
    async with embedding(server) as made:
        assert (await made.words("a car"))[:3] == (1.0, -2.0, 0.0)


async def test_words_that_are_refused_are_no_file(server: ImageAnalysisServer) -> None:
    server.then(fail(413, "TooLarge"))
    async with embedding(server) as made:
        with pytest.raises(VisionProblem) as caught:
            await made.words("a car")
    assert caught.value.reason is VisionReason.BAD_REQUEST


async def test_a_region_without_embeddings_is_found_out_once(server: ImageAnalysisServer) -> None:
    server.embeddings = False
    async with embedding(server) as made:
        with pytest.raises(VisionProblem) as caught:
            await made.words("a car")
        for _ in range(3):
            assert str(await failure(made)) == str(caught.value) == f"failed: {NOT_OFFERED}"
    assert len(server.requests) == 1


@pytest.mark.parametrize(
    "reply",
    [
        fail(404, "404", message="Resource not found."),
        Reply(404, "nothing here"),
        fail(400, "InvalidRequest", "InvalidModelVersion"),
    ],
)
async def test_a_service_without_this_operation_is_found_out_too(
    server: ImageAnalysisServer, reply: Reply
) -> None:
    server.then(reply)
    async with embedding(server) as made:
        for _ in range(2):
            assert (await failure(made)).detail == NOT_OFFERED
    assert len(server.requests) == 1


async def test_one_bad_picture_is_not_mistaken_for_a_region(server: ImageAnalysisServer) -> None:
    server.then(fail(400, "InvalidRequest", "InvalidImageFormat", "Not a feature of images."))
    async with embedding(server) as made:
        assert (await failure(made)).reason is Reason.UNSUPPORTED
        assert await made.picture(PHOTO)


async def test_a_wrong_key_is_neither_told_nor_logged(server: ImageAnalysisServer) -> None:
    with capture_logs() as logged:
        async with embedding(server, key="wrong-key-of-somebody") as made:
            problem = await failure(made)
    assert str(problem) == "unauthorized: 401 PermissionDenied"
    assert [entry["event"] for entry in logged] == ["vision_failed"]
    assert "wrong-key" not in str(logged)


async def test_throttling_ends_in_a_vector_after_the_time_asked_for(
    server: ImageAnalysisServer, clock: FakeClock
) -> None:
    server.then(throttling(7), throttling(3))
    async with embedding(server, clock) as made:
        assert await made.picture(PHOTO)
    assert sum(clock.waits) == pytest.approx(10)


async def test_a_silent_service_is_given_up(server: ImageAnalysisServer) -> None:
    server.gate = asyncio.Event()
    async with embedding(server, request_seconds=0.05, tries=1) as made:
        assert (await failure(made)).reason is VisionReason.TIMED_OUT


async def test_a_call_is_bounded_however_long_the_others_take(server: ImageAnalysisServer) -> None:
    server.gate = asyncio.Event()
    times = {"wait_seconds": 0.05, "retry_seconds": 0, "request_seconds": 0.2}
    async with embedding(server, at_once=1, **times) as made:
        calls = [made.picture(PHOTO), *(made.words("a car") for _ in range(5))]
        async with asyncio.timeout(5):
            told = await asyncio.gather(*calls, return_exceptions=True)
    reasons = [problem.reason for problem in told if isinstance(problem, VisionProblem)]
    assert reasons == 6 * [VisionReason.TIMED_OUT]
    assert len(server.requests) < 6


async def test_a_service_that_is_away_cannot_be_reached() -> None:
    async with ImageAnalysisServer() as server:
        gone = server.url
    server.url = gone
    async with embedding(server, tries=1) as made:
        assert (await failure(made)).reason is VisionReason.UNREACHABLE


async def test_a_cancelled_call_frees_its_place(server: ImageAnalysisServer) -> None:
    server.gate = asyncio.Event()
    async with embedding(server, at_once=1) as made:
        call = asyncio.create_task(made.picture(PHOTO))
        async with asyncio.timeout(5):
            while not server.requests:
                await asyncio.sleep(0.01)
        call.cancel()
        with pytest.raises(asyncio.CancelledError):
            await call
        server.gate.set()
        assert await made.picture(PHOTO)


async def test_looks_and_embeddings_keep_one_rate(
    server: ImageAnalysisServer, clock: FakeClock
) -> None:
    settings = configured(server, rate="2/min", wait_seconds=70)
    vision = AzureVision(
        settings, FileLimits(_env_file=None), ChildLimits(_env_file=None), clock=clock
    )
    made = AzureEmbedding(vision.resource, is_shared=True)
    await vision.look(PHOTO)
    await made.words("a car")
    assert clock.waits == []
    await made.picture(PHOTO)
    assert clock.waits == [60]
    await vision.close()


async def test_a_shared_resource_is_left_open(server: ImageAnalysisServer) -> None:
    async with embedding(server) as owner:
        guest = AzureEmbedding(owner.resource, is_shared=True)
        await guest.words("a car")
        await guest.close()
        assert await owner.words("a car")
