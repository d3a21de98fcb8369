"""Settings in force: thread, then place, then deployment."""

from __future__ import annotations

import pytest
from fakeredis import FakeAsyncRedis, FakeServer

from adapters.redis.history import RedisHistory
from bot.commands.preferences import Preferences
from bot.domain.preferences import Deployment, EffectiveSettings
from bot.domain.threads import Thread
from bot.limits import RetentionLimits

THREAD = Thread("msteams", "tenant", "19:a", "1")
DEPLOYMENT = Deployment("Be brief.", ("gpt-5.1", "gpt-4o"), {})


@pytest.fixture
def history() -> RedisHistory:
    redis = FakeAsyncRedis(server=FakeServer(), protocol=2, decode_responses=True)
    return RedisHistory(redis, RetentionLimits())


@pytest.fixture
def preferences(history: RedisHistory) -> Preferences:
    return Preferences(history, DEPLOYMENT)


async def test_where_nobody_set_anything_the_deployment_decides(preferences: Preferences) -> None:
    assert await preferences.of(THREAD) == EffectiveSettings(
        "Be brief.", "gpt-5.1", True, "deployment"
    )


async def test_a_place_decides_for_its_threads(
    preferences: Preferences, history: RedisHistory
) -> None:
    await history.change(THREAD.place, system="Count cars.")
    await history.change(THREAD.place, vision=False)
    other = Thread("msteams", "another tenant", "19:a", "1")
    assert await preferences.of(THREAD) == EffectiveSettings(
        "Count cars.", "gpt-5.1", False, "place"
    )
    assert (await preferences.of(other)).system_origin == "deployment"


async def test_a_thread_decides_for_itself(preferences: Preferences, history: RedisHistory) -> None:
    await history.change(THREAD.place, system="Count cars.")
    await history.change(THREAD.place, model="gpt-4o")
    await history.change(THREAD, system="Count dogs.")
    await history.change(THREAD, model="gpt-5.1")
    assert await preferences.of(THREAD) == EffectiveSettings(
        "Count dogs.", "gpt-5.1", True, "thread"
    )
    other = Thread("msteams", "tenant", "19:a", "2")
    assert await preferences.of(other) == EffectiveSettings("Count cars.", "gpt-4o", True, "place")


async def test_a_model_that_is_no_longer_offered_gives_way_to_the_default(
    preferences: Preferences, history: RedisHistory
) -> None:
    await history.change(THREAD, model="gpt-3")
    assert (await preferences.of(THREAD)).model == "gpt-5.1"
