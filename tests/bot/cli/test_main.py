"""The command line as users run it: what it prints where, and its exit codes."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import socket
import sys
import zipfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib.metadata import version
from typing import TYPE_CHECKING

import pytest

from adapters.blobs.in_place import InPlaceBlobs
from bot import checks as doctor
from bot import logs
from bot import strings as texts
from bot.cli import main as cli
from bot.errors import ModelReason
from tests.helpers.images import corners_image, encode_image, open_jpeg
from tests.servers.openai import KEY, OpenAIServer, cut_answer, fail, say

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

SECONDS = 60


@dataclass
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def sentence(self) -> str:
        """The one line on stderr that is for people."""
        (line,) = [line for line in self.err.splitlines() if line.startswith("loupe: ")]
        return line.removeprefix("loupe: ")


@asynccontextmanager
async def started(
    folder: Path, *arguments: str, **settings: str
) -> AsyncIterator[asyncio.subprocess.Process]:
    """A command that runs in a folder, with nothing but these settings."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bot", *arguments),
        cwd=folder,
        env=kept | settings,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def loupe(folder: Path, *arguments: str, **settings: str) -> Ran:
    async with started(folder, *arguments, **settings) as process, asyncio.timeout(SECONDS):
        out, err = await process.communicate()
        assert process.returncode is not None
        return Ran(process.returncode, out.decode(), err.decode())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "car.jpg").write_bytes(encode_image(corners_image()))
    return tmp_path


class InProcess:
    """The command line in this process, for what needs none of its own: that is much faster."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self._capsys = capsys

    def loupe(self, *arguments: str, **settings: str) -> Ran:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(self.folder)
            patch.setattr(logs, "configure", lambda *_, **__: None)
            for name in set(os.environ) - {"PATH", "HOME"}:
                patch.delenv(name)
            for name, value in settings.items():
                patch.setenv(name, value)
            code = cli.run(arguments)
        printed = self._capsys.readouterr()
        return Ran(code, printed.out, printed.err)


@pytest.fixture
def here(folder: Path, capsys: pytest.CaptureFixture[str]) -> InProcess:
    return InProcess(folder, capsys)


@pytest.fixture
async def model() -> AsyncIterator[OpenAIServer]:
    async with OpenAIServer() as server:
        yield server


def told(model: OpenAIServer) -> dict[str, str]:
    """The settings that make a server answer."""
    return {
        "OPENAI_BASE_URL": f"{model.url}/v1",
        "OPENAI_API_KEY": KEY,
        "OPENAI_MODEL": "gpt-4o",
    }


@pytest.mark.parametrize(
    "arguments",
    [
        *(["look"], ["ask"], ["serve", "now"]),
        *(["manifest"], ["manifest", "irc"], ["manifest", "teams"], ["manifest", "slack"]),
        ["manifest", "slack", "--socket", "--host", "bot.example.org"],
        ["manifest", "teams", "--socket"],
    ],
)
def test_a_command_written_wrongly_ends_with_its_usage(
    here: InProcess, arguments: list[str]
) -> None:
    ran = here.loupe(*arguments)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("usage: loupe")


def test_the_command_alone_shows_the_help(here: InProcess) -> None:
    alone, asked = here.loupe(), here.loupe("--help")
    assert (alone.code, alone.err) == (0, "")
    assert alone.out == asked.out


def test_the_version_is_that_of_the_package(here: InProcess) -> None:
    shown = here.loupe("--version")
    assert (shown.code, shown.out) == (0, f"loupe {version('loupe')}\n")


@pytest.mark.parametrize("option", ["--help", "--version"])
async def test_help_and_version_import_nothing_of_the_bot(option: str) -> None:
    script = "import sys; from bot.cli.main import run; run(sys.argv[1:]); print(*sys.modules)"
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", script, option), stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    modules = set(out.decode().splitlines()[-1].split())
    own = {name for name in modules if name.split(".")[0] in {"bot", "adapters"}}
    assert own == {"bot", "bot.cli", "bot.cli.main"}
    assert not modules & {"aiohttp", "cv2", "numpy", "pydantic"}


async def test_a_wrong_command_ends_the_process_so(folder: Path) -> None:
    ran = await loupe(folder, "look")
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith("usage: loupe")


async def test_the_settings_are_listed_with_origin_and_without_secrets(folder: Path) -> None:
    (folder / ".env").write_text("LOUPE_MAX_PICTURES=7\n")
    ran = await loupe(folder, "settings", OPENAI_API_KEY="sk-secret", PORT="4000")
    assert (ran.code, ran.err) == (0, "")
    listed = {
        name: (value, origin)
        for name, value, origin in re.findall(
            r"^(\w+)=(.*?)  \((environment|\.env|default); \S.*\)$", ran.out, re.MULTILINE
        )
    }
    assert len(listed) == len(ran.out.splitlines())
    assert listed["PORT"] == ("4000", "environment")
    assert listed["LOUPE_MAX_PICTURES"] == ("7", ".env")
    assert listed["LOUPE_RETENTION_DAYS"] == ("30", "default")
    assert listed["OPENAI_API_KEY"] == ("set", "environment")
    assert "sk-secret" not in ran.out


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        ({"PORT": "many"}, "PORT has the value 'many'"),
        ({"LOUPE_MAX_PICTURES": "1"}, "LOUPE_MAX_PICTURES has the value '1'"),
        ({"REDIS_URL": "http://:secret@a"}, "REDIS_URL has the value (hidden)"),
        ({"MicrosoftAppId": "an-app"}, "MicrosoftAppId has the value 'an-app'"),
    ],
)
def test_a_wrong_setting_stops_any_command_with_one_sentence(
    here: InProcess, settings: dict[str, str], sentence: str
) -> None:
    ran = here.loupe("settings", **settings)
    assert (ran.code, ran.out) == (1, "")
    assert ran.sentence.startswith(sentence)
    assert len(ran.err.splitlines()) == 1


async def test_a_wrong_setting_ends_the_process_so(folder: Path) -> None:
    ran = await loupe(folder, "serve", PORT="70000")
    assert (ran.code, ran.out) == (1, "")
    assert ran.sentence.startswith("PORT has the value '70000'")


async def test_a_question_about_a_file(folder: Path, model: OpenAIServer) -> None:
    ran = await loupe(
        folder, "ask", "--system", "Be brief.", "--save", "kept", "car.jpg", "What is it?",
        **told(model),
    )  # fmt: skip
    assert (ran.code, ran.out) == (0, "A red car with the plate KRW 301.\n")
    assert ran.err.splitlines() == [
        texts.looking_progress(1, 1),
        texts.reading_progress(1, 1),
        texts.THINKING,
    ]
    (request,) = model.requests
    assert request.texts[0].startswith("Be brief.\n")
    assert request.texts[1:] == ["[P1 car.jpg]", "What is it?"]
    saved = (folder / "kept" / "P1.jpg").read_bytes()
    assert request.pictures == [saved]
    assert open_jpeg(saved).size == (96, 64)
    assert sorted(path.name for path in folder.iterdir()) == [".loupe", "car.jpg", "kept"]


async def test_the_files_of_the_user_are_neither_copied_nor_erased(tmp_path: Path) -> None:
    blobs, link, own = InPlaceBlobs(), tmp_path / "link", tmp_path / "clip.mp4"
    own.write_bytes(b"video")
    link.symlink_to(own)
    await blobs.put("thread/clip", link)
    await blobs.put("thread/frame", b"jpeg")
    link.unlink()
    assert await blobs.save("thread/clip", link)
    assert link.samefile(own)
    assert link.is_symlink()
    assert await blobs.save("thread/frame", tmp_path / "frame")
    assert (tmp_path / "frame").read_bytes() == b"jpeg"
    assert not await blobs.save("thread/none", tmp_path / "none")
    await blobs.erase("thread")
    assert own.read_bytes() == b"video"


async def test_the_raw_transcript_instead_of_the_answer(folder: Path, model: OpenAIServer) -> None:
    ran = await loupe(folder, "ask", "--json", "car.jpg", **told(model))
    assert ran.code == 0
    system, user, assistant = json.loads(ran.out)
    assert (system["role"], user["role"]) == ("system", "user")
    assert user["content"][1] == texts.DESCRIBE
    assert assistant["content"] == ["A red car with the plate KRW 301."]


async def test_without_a_model_the_facts_are_told(folder: Path) -> None:
    ran = await loupe(folder, "ask", "car.jpg")
    assert ran.code == 0
    assert "JPEG, 96 × 64 pixels" in ran.out
    assert texts.OFFLINE_HINT in ran.out


@pytest.mark.parametrize("words", [["none.jpg"], ["none.jpg", "What?"], ["car.jpg", "b.jpg", "?"]])
def test_a_file_that_is_not_there(here: InProcess, words: list[str]) -> None:
    ran = here.loupe("ask", *words)
    assert (ran.code, ran.out) == (1, "")
    assert re.fullmatch(r"There is no file '\w+\.jpg'\.", ran.sentence)


@pytest.mark.parametrize("last", ["none.JPG", "none.heic", "none.mov", ".", os.devnull])
def test_a_last_word_that_means_a_file_is_no_question(here: InProcess, last: str) -> None:
    ran = here.loupe("ask", "car.jpg", last)
    assert (ran.code, ran.out) == (1, "")
    assert ran.sentence == f"There is no file {last!r}."


async def test_a_question_is_no_file(folder: Path, model: OpenAIServer) -> None:
    words = "What is it?" * 40 + "Is it like b.jpg"
    ran = await loupe(folder, "ask", "car.jpg", words, **told(model))
    assert ran.code == 0
    assert model.requests[0].texts[-1] == words


async def test_files_that_cannot_be_used_are_told(folder: Path, model: OpenAIServer) -> None:
    (folder / "empty.jpg").touch()
    (folder / "text.jpg").write_text("no picture")
    ran = await loupe(folder, "ask", "empty.jpg", "text.jpg", **told(model))
    assert (ran.code, ran.out) == (1, "")
    assert "the file is empty" in ran.sentence
    assert "cannot read this type of file" in ran.sentence
    assert model.requests == []


async def test_pictures_that_cannot_be_kept(folder: Path, model: OpenAIServer) -> None:
    ran = await loupe(folder, "ask", "--save", "car.jpg", "car.jpg", **told(model))
    assert ran.code == 1
    assert ran.sentence == "car.jpg cannot be written to: File exists."


@pytest.mark.parametrize("arguments", [["serve"], ["ask", "car.jpg"]])
async def test_a_data_folder_that_is_none_stops_the_start(
    folder: Path, arguments: list[str]
) -> None:
    ran = await loupe(folder, *arguments, LOUPE_DATA="car.jpg", PORT="0")
    assert (ran.code, ran.out) == (1, "")
    assert ran.sentence.startswith(
        "LOUPE_DATA has the value 'car.jpg', which is not a writable folder"
    )
    assert "Traceback" not in ran.err


async def test_a_store_that_is_away_stops_the_start_of_the_page(folder: Path) -> None:
    away = {"REDIS_URL": "redis://127.0.0.1:1", "LOUPE_PAGE": "on", "PORT": "0"}
    ran = await loupe(folder, "serve", **away)
    assert (ran.code, ran.out) == (1, "")
    assert re.fullmatch(r"The store cannot be used \(.+\)\. Try `loupe doctor`\.", ran.sentence)
    assert "Traceback" not in ran.err


async def test_a_port_that_is_taken_is_told(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        ran = await loupe(folder, "serve", PORT=port)
    assert (ran.code, ran.out) == (1, "")
    assert ran.sentence.startswith(f"Port {port} on 127.0.0.1 cannot be used (")


def test_the_password_of_an_address_is_not_listed(here: InProcess) -> None:
    url = "https://user:hunter2@x.example"
    ran = here.loupe("settings", OPENAI_BASE_URL=url, OPENAI_MODEL="m")
    assert ran.code == 0
    assert "OPENAI_BASE_URL=https://(hidden)@x.example  (environment;" in ran.out
    assert "hunter2" not in ran.out + ran.err


async def test_a_model_that_fails_is_told_in_one_sentence(
    folder: Path, model: OpenAIServer
) -> None:
    model.then(cut_answer("A red ", "car by "))
    ran = await loupe(folder, "ask", "car.jpg", **told(model))
    assert (ran.code, ran.out) == (1, "A red car by\n")
    assert ran.sentence == texts.WHY_MODEL[ModelReason.CUT]


async def test_an_interrupt_ends_the_answer_where_it_is(folder: Path, model: OpenAIServer) -> None:
    model.then(say("A red ", "car by ", asyncio.Event()))
    async with started(folder, "ask", "car.jpg", **told(model)) as process:
        assert process.stdout is not None
        async with asyncio.timeout(SECONDS):
            first = await process.stdout.readuntil(b"car")
            process.send_signal(signal.SIGINT)
            rest = await process.stdout.read()
            code = await process.wait()
    assert (first + rest).decode() == f"A red car by\n\n{texts.STOPPED_HERE}\n"
    assert code == 0
    await model.until_closed()


async def test_the_doctor_finds_the_defaults_well(folder: Path) -> None:
    ran = await loupe(folder, "doctor")
    assert ran.code == 0, ran.out
    assert [line[:4] for line in ran.out.splitlines()] == ["ok  "] * 5


async def test_the_doctor_names_what_is_ill(folder: Path, model: OpenAIServer) -> None:
    model.default = fail(404, "DeploymentNotFound")
    ran = await loupe(folder, "doctor", REDIS_URL="redis://127.0.0.1:1", **told(model))
    assert ran.code == 1
    ill = [line for line in ran.out.splitlines() if line.startswith("FAIL ")]
    assert [line.split(":")[0] for line in ill] == ["FAIL store", "FAIL model gpt-4o"]
    assert ill[0].endswith(doctor.REDIS)


def test_a_package_for_teams(here: InProcess) -> None:
    app_id = "00000000-0000-4000-8000-000000000001"
    bot = {
        "MicrosoftAppId": app_id,
        "MicrosoftAppPassword": "secret",
        "MicrosoftAppTenantId": "00000000-0000-4000-8000-000000000002",
    }
    ran = here.loupe("manifest", "teams", "--host", "bot.example.org", **bot)
    assert (ran.code, ran.out) == (0, "loupe-teams.zip\n")
    with zipfile.ZipFile(here.folder / "loupe-teams.zip") as package:
        manifest = json.loads(package.read("manifest.json"))
    assert manifest["bots"][0]["botId"] == app_id


async def test_a_package_for_slack_where_it_is_wanted(folder: Path) -> None:
    host = ("--host", "bot.example.org")
    ran = await loupe(folder, "manifest", "slack", *host, "--output", "slack.yaml")
    assert (ran.code, ran.out) == (0, "slack.yaml\n")
    assert "https://bot.example.org/slack/events" in (folder / "slack.yaml").read_text()


def test_a_package_for_slack_s_socket_mode_needs_no_host(here: InProcess) -> None:
    ran = here.loupe("manifest", "slack", "--socket")
    assert (ran.code, ran.out) == (0, "loupe-slack.yaml\n")
    assert "socket_mode_enabled: true" in (here.folder / "loupe-slack.yaml").read_text()


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["teams", "--host", "bot.example.org"], "Set MicrosoftAppId first"),
        (["slack", "--host", "my bot"], "host has the value 'my bot'"),
        (
            ["slack", "--host", "bot.example.org", "--output", "none/slack.yaml"],
            "none/slack.yaml cannot be written",
        ),
    ],
)
def test_a_package_that_cannot_be_made(
    here: InProcess, arguments: list[str], sentence: str
) -> None:
    ran = here.loupe("manifest", *arguments)
    assert (ran.code, ran.out) == (1, "")
    assert ran.sentence.startswith(sentence)
