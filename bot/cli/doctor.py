"""The checks of `loupe doctor`: each outside service gets the request that Loupe makes first."""

from __future__ import annotations

import asyncio
import sys
from functools import partial
from typing import TYPE_CHECKING

from adapters.blobs.doctor import check_blobs
from adapters.models.doctor import check_model, check_speech
from adapters.vision.doctor import check_embedding, check_vision
from bot import checks as doctor
from bot.app import store
from bot.checks import Check
from bot.cli.command import EXIT_FAILURE, run_with_settings

if TYPE_CHECKING:
    from argparse import Namespace
    from collections.abc import Iterator

    from bot.app_settings import Settings


def run(options: Namespace) -> int:
    """Check every part and print what came of it; returns 1 where one failed."""
    return run_with_settings(_check, options)


def _check(_: Namespace, settings: Settings) -> int:
    results = asyncio.run(doctor.examine(checks(settings)))
    for result in results:
        sys.stdout.write(f"{'ok  ' if result.well else 'FAIL'} {result.part}: {result.says}\n")
    return 0 if all(result.well for result in results) else EXIT_FAILURE


def checks(settings: Settings) -> list[Check]:
    """List what is tried with these settings."""
    return [
        *_keeping(settings),
        *_models(settings),
        *_vision(settings),
        *(
            check
            for declaration in settings.channels.declarations
            for check in declaration.checks(settings.channels.sections)
        ),
    ]


def _keeping(settings: Settings) -> Iterator[Check]:
    data = settings.core.data
    remedy = doctor.REDIS if settings.redis.url else doctor.FOLDER
    yield Check("data folder", lambda: doctor.writable(data), doctor.FOLDER)
    yield Check("store", lambda: _check_store(settings), remedy)
    remedy = doctor.OBJECT_STORE if settings.media.url else doctor.FOLDER
    yield Check("pictures", lambda: check_blobs(settings.media, data), remedy)


def _models(settings: Settings) -> Iterator[Check]:
    model = settings.model, settings.limits.requests, settings.vision.shared_resource
    for name in settings.deployment.models:
        yield Check(f"model {name}", partial(check_model, *model, name))


def _vision(settings: Settings) -> Iterator[Check]:
    vision = settings.vision
    remedy = doctor.VISION if vision.endpoint else doctor.ENGINE
    yield Check(
        "vision",
        partial(check_vision, vision, settings.limits.files, settings.limits.children),
        remedy,
    )
    if vision.endpoint:
        yield Check("embeddings", partial(check_embedding, vision), doctor.EMBEDDING)
    if settings.model.transcribe_model:
        yield Check("transcription", partial(check_speech, settings.model), doctor.SPEECH)


async def _check_store(settings: Settings) -> str:
    async with store(settings) as redis:
        await redis.ping()
    kind = "Redis" if settings.redis.url else "The embedded store"
    return f"{kind} answers."
