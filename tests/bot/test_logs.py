from __future__ import annotations

import io
import json
import logging
from typing import TYPE_CHECKING, Any

import pytest
import structlog
from pydantic import SecretStr

from bot.logs import configure

if TYPE_CHECKING:
    from collections.abc import Iterator

CANARY = "c4n4ry-S3CR3T-value"
PICTURE = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Where the logs of the test go; the set-up of before is restored."""
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    yield io.StringIO()
    structlog.reset_defaults()
    root.handlers[:] = before
    root.setLevel(level)


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_elsewhere_than_in_a_terminal_each_line_is_a_json_object(stream: io.StringIO) -> None:
    configure(stream=stream)
    structlog.get_logger().info("turn_done", seconds=1.5, photos=[1, 2], name="Grüße\n\udcff")
    logging.getLogger("aiohttp.server").warning("request %s failed", "x")
    ours, theirs = lines(stream)
    assert ours["event"] == "turn_done"
    assert ours["seconds"] == 1.5
    assert ours["photos"] == [1, 2]
    assert ours["level"] == "info"
    assert ours["at"].endswith("Z")
    assert (theirs["event"], theirs["logger"]) == ("request x failed", "aiohttp.server")


def test_in_a_terminal_a_line_is_readable(stream: io.StringIO) -> None:
    configure(stream=stream, terminal=True)
    structlog.get_logger().warning("store_unavailable", wait=2)
    assert "store_unavailable" in stream.getvalue()
    assert "wait=2" in stream.getvalue()
    assert "{" not in stream.getvalue()


def test_libraries_are_heard_from_warnings_up_and_loupe_from_its_level_up(
    stream: io.StringIO,
) -> None:
    configure("INFO", stream=stream)
    for name in ("openai", "azure.identity", "botbuilder", "aiohttp.access"):
        logging.getLogger(name).info("chatter")
    structlog.get_logger().debug("detail")
    structlog.get_logger().info("news")
    logging.getLogger("openai").error("trouble")
    assert [line["event"] for line in lines(stream)] == ["news", "trouble"]


def test_thread_and_place_are_named_in_every_line_inside(stream: io.StringIO) -> None:
    configure(stream=stream)
    with structlog.contextvars.bound_contextvars(thread="1f", place=17):
        structlog.get_logger().info("inside")
        logging.getLogger("openai").warning("inside too")
    structlog.get_logger().info("outside")
    inside, too, outside = lines(stream)
    assert inside["thread"] == too["thread"] == "1f"
    assert inside["place"] == too["place"] == 17
    assert "thread" not in outside


@pytest.mark.parametrize("terminal", [True, False])
def test_no_planted_secret_and_no_picture_reaches_any_line(
    stream: io.StringIO, terminal: bool
) -> None:
    configure("debug", stream=stream, terminal=terminal, secrets=["the-app-password"])
    ours, theirs = structlog.get_logger(), logging.getLogger("botbuilder")
    structlog.contextvars.bind_contextvars(url=f"https://a.example/?sig={CANARY}")
    try:
        raise ConnectionError(f"https://a.example/?tempauth={CANARY} Bearer {CANARY} {PICTURE!r}")
    except ConnectionError as error:
        ours.exception(f"failed xoxb-{CANARY}", error=error, key=SecretStr(CANARY), data=PICTURE)
        theirs.exception("failed with %s and %r", f"token={CANARY}", PICTURE)
    theirs.error("headers %s", {"Authorization": f"Bearer {CANARY}", "body": PICTURE})
    theirs.error("%(token)s %(n)d", {"token": f"xapp-{CANARY}", "n": 3})
    theirs.error("the password is the-app-password")
    ours.info("sent", request={"headers": [{"authorization": CANARY}], "parts": [PICTURE]})
    structlog.contextvars.clear_contextvars()
    text = stream.getvalue()
    assert text.count("ConnectionError") >= 2
    assert text.count("failed") == 2
    assert CANARY not in text
    assert "the-app-password" not in text
    assert "PNG" not in text


def test_what_a_library_logs_stays_whole_for_others(stream: io.StringIO) -> None:
    configure(stream=stream)
    seen: list[logging.LogRecord] = []
    other = logging.Handler()
    other.emit = seen.append  # type: ignore[method-assign]
    logging.getLogger().addHandler(other)
    logging.getLogger("aiohttp").error("value %d of %s", 3, "token=abc")
    assert lines(stream)[0]["event"] == "value 3 of token=(hidden)"
    assert seen[0].args == (3, "token=abc")
