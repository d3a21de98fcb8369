from __future__ import annotations

import re
import tomllib
from dataclasses import fields
from difflib import unified_diff
from itertools import chain
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest

from adapters.models.settings import ModelSettings
from bot.commands.registry import GRAMMAR
from bot.ports.channel import Capabilities
from bot.settings import environment_name
from tests.helpers.generated_docs import (
    CAPABILITIES,
    PART,
    ROOT,
    generate,
    help_of,
    pages,
    sections,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PAGES = {str(page.relative_to(ROOT)): page.read_text("utf-8") for page in pages()}
README = PAGES["README.md"]
DECISIONS = sorted(name for name in PAGES if re.match(r"docs/decisions/\d", name))

BLOCK = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
SPAN = re.compile(r"`([^`\n]+)`")
LINK = re.compile(r"(?<=\]\()[^)\s]+|(?<=\bsrc=\")[^\"]+|(?<=\bsrcset=\")[^\"]+")
HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
NAME = re.compile(r"[A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+|MicrosoftApp\w+")
FILE = re.compile(r"(?:bot|adapters|tests|docs|manifest|benchmarks)/[\w./-]*")
IN_SLACK = "/loupe "
"""What stands before the name of a command in Slack."""
ROUTES = {"/slack/events", "/loupe", "/api/messages", "/healthz", "/readyz"}

NOT_OURS = {
    *("AZURE_STORAGE_ACCOUNT_NAME", "AZURE_STORAGE_ACCOUNT_KEY"),  # object_store
    *("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"),  # object_store
    "REDIS_PASSWORD",  # compose.yaml
    "TEAMSAPPTESTER_BROWSER",  # Microsoft's playground
}
"""Variables that the documentation names and somebody else reads."""


@pytest.fixture(params=PAGES)
def page(request: pytest.FixtureRequest) -> str:
    """The name of a page."""
    return str(request.param)


def spans(text: str) -> list[str]:
    """What is set as code within sentences."""
    return SPAN.findall(BLOCK.sub("", text))


def shell(text: str) -> Iterator[str]:
    """The command lines to type, those that go on in the next line joined."""
    for language, block in BLOCK.findall(text):
        if language == "sh":
            yield from block.replace("\\\n", " ").splitlines()


def slug(heading: str) -> str:
    """The anchor that GitHub gives a heading."""
    return re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")


def setting_names() -> set[str]:
    return {
        environment_name(kind, name) for kind in sections().values() for name in kind.model_fields
    }


def test_every_part_and_every_piece_of_code_has_an_end(page: str) -> None:
    text = PAGES[page]
    begun = text.count("<!-- from the code: ")
    assert begun == text.count("<!-- end -->") == len(PART.findall(text))
    for line in BLOCK.sub("", text).splitlines():
        assert line.count("`") % 2 == 0, line


def test_what_comes_from_the_code_is_up_to_date(page: str) -> None:
    is_, should_be = PAGES[page].splitlines(), generate(PAGES[page]).splitlines()
    diff = "\n".join(unified_diff(is_, should_be, page, "the code", lineterm=""))
    assert not diff, f"`make docs` mends this:\n{diff}"


def test_every_relative_link_leads_somewhere(page: str) -> None:
    for link in LINK.findall(BLOCK.sub("", PAGES[page])):
        if "://" in link:
            continue
        name, _, anchor = link.partition("#")
        target = (ROOT / page).parent.joinpath(name).resolve() if name else ROOT / page
        assert target.exists(), link
        if anchor:
            headings = HEADING.findall(BLOCK.sub("", target.read_text("utf-8")))
            assert anchor in map(slug, headings), link


def test_every_path_exists(page: str) -> None:
    blocks = (word for line in shell(PAGES[page]) for word in line.split())
    for path in filter(FILE.fullmatch, chain(spans(PAGES[page]), blocks)):
        assert (ROOT / path).exists(), path


def test_every_setting_that_is_named_exists(page: str) -> None:
    blocks = "\n".join(shell(PAGES[page]))
    named = {name for span in [*spans(PAGES[page]), blocks] for name in NAME.findall(span)}
    assert named <= setting_names() | NOT_OURS


def test_every_setting_is_explained() -> None:
    parts = {name for _, name, _ in PART.findall(PAGES["docs/settings.md"])}
    assert parts == {f"settings {name}" for name in sections()}
    for name in setting_names():
        assert f"| `{name}` |" in PAGES["docs/settings.md"]


def test_settings_that_are_shown_together_are_accepted(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = [
        block for language, block in BLOCK.findall(README) if re.match(r"(AZURE|OPENAI)", block)
    ]
    assert len(shown) == 2
    for block in shown:
        with monkeypatch.context() as patch:
            for name in setting_names():
                patch.delenv(name, raising=False)
            for name, value in re.findall(r"^(\w+)=(\S+)", block, re.MULTILINE):
                patch.setenv(name, value)
            assert not ModelSettings(_env_file=None).offline


@pytest.mark.parametrize("name", ["README.md", "docs/commands.md"])
def test_every_command_is_listed(name: str) -> None:
    for spec in GRAMMAR.specs:
        assert spec.usage.replace("|", "\\|") in PAGES[name]


def test_all_that_a_channel_declares_to_do_or_not_is_in_the_table() -> None:
    assert set(CAPABILITIES) == {one.name for one in fields(Capabilities)} - {"pace", "text_limit"}
    for said in CAPABILITIES.values():
        assert f"| {said} |" in PAGES["docs/channels.md"]


def test_every_command_that_is_named_is_one(page: str) -> None:
    specs = {spec.name: spec for spec in GRAMMAR.specs}
    commands = [span for span in spans(PAGES[page]) if re.match(r"/[a-z]", span)]
    for span in set(commands) - ROUTES:
        command_span = span.replace("\\|", "|").removeprefix(IN_SLACK)
        name, _, argument = command_span.partition(" ")
        spec = specs[name.strip("/.")]
        command = GRAMMAR.parse(f"/{command_span.lstrip('/')}")
        assert argument == spec.argument or (command and command.valid), span


def test_every_use_of_the_command_line_is_one_it_knows(page: str) -> None:
    lines = [line for line in [*spans(PAGES[page]), *shell(PAGES[page])] if "loupe " in line]
    for line in (line for line in lines if not line.startswith(IN_SLACK)):
        used = re.search(r"(?:^|/)loupe ((?:manifest )?(?:[a-z]+|--)\S*)(.*)", line)
        if used is None:
            continue
        names = used[1].split()
        known = help_of(*names) if all(name.isalpha() for name in names) else help_of()
        option_alone = used[1].startswith("--") and used[1] in known.split()
        assert f"loupe {used[1]}" in known or option_alone, line
        for option in re.findall(r"--[a-z-]+", used[2]):
            assert option in known, line


def test_every_target_of_make_exists(page: str) -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    for line in [*spans(PAGES[page]), *shell(PAGES[page])]:
        if used := re.match(r"make (\w+)", line):
            assert used[1] in targets, line


def test_events_of_the_log_are_named_as_they_are() -> None:
    sentence = re.search(r"Each event has.*?\. ", PAGES["docs/operations.md"], re.DOTALL)
    assert sentence
    source = "".join(path.read_text() for room in ("bot", "adapters") for path in _modules(room))
    events = SPAN.findall(sentence[0])
    assert len(events) > 5
    for event in events:
        assert f'"{event}"' in source


def _modules(room: str) -> Iterator[Path]:
    return (ROOT / room).rglob("*.py")


def test_the_changelog_begins_with_this_version() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    newest = re.search(r"^## (\S+) \(\d{4}-\d\d-\d\d\)$", PAGES["CHANGELOG.md"], re.MULTILINE)
    assert newest
    assert newest[1] == project["version"]


def test_every_decision_is_numbered_and_listed() -> None:
    listed = re.findall(
        r"^(\d+)\. \[(.+)\]\((.+)\)$", PAGES["docs/decisions/README.md"], re.MULTILINE
    )
    assert [f"docs/decisions/{file}" for _, _, file in listed] == DECISIONS
    for place, (number, title, file) in enumerate(listed, 1):
        assert int(number) == place
        assert PAGES[f"docs/decisions/{file}"].startswith(f"# {number}. {title}\n")


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_says_why_what_and_what_follows(name: str) -> None:
    assert HEADING.findall(PAGES[name])[1:] == ["Context", "Decision", "Consequences"]
    assert len(PAGES[name].splitlines()) <= 35


def test_the_map_answers_each_question_with_a_file() -> None:
    rows = re.findall(r"^\| … .+\? \| `(\S+)` \|$", PAGES["docs/architecture.md"], re.MULTILINE)
    assert len(rows) == 35
    for path in rows:
        assert (ROOT / path).is_file(), path


def test_the_map_has_a_paragraph_for_each_package() -> None:
    packages = {
        f"{folder.parent.relative_to(ROOT)}/"
        for side in ("bot", "adapters")
        for folder in (ROOT / side).glob("*/__init__.py")
    }
    paragraphs = re.findall(r"^\*\*`(\S+)`\*\* ", PAGES["docs/architecture.md"], re.MULTILINE)
    assert sorted(paragraphs) == sorted(packages)


def test_the_glossary_is_short_and_sorted() -> None:
    rows = re.findall(r"^\| (?!word|---)(.+?) \|", PAGES["docs/glossary.md"], re.MULTILINE)
    assert 0 < len(rows) <= 40
    assert rows == sorted(rows)


def test_the_picture_of_the_architecture_is_readable_in_light_and_dark() -> None:
    drawing = (ROOT / "docs" / "pictures" / "architecture.svg").read_text("utf-8")
    root = ElementTree.fromstring(drawing)
    assert root.find("{*}title") is not None
    assert "prefers-color-scheme: dark" in drawing
    for path in re.findall(r"adapters/[\w.]+", drawing):
        assert (ROOT / path).exists()
