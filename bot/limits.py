"""The limits of the bot itself, each once, in sections by what they are about."""

from __future__ import annotations

from dataclasses import dataclass, fields

from pydantic import Field
from pydantic_settings import SettingsConfigDict

from bot.settings import MIB, Section


class FileLimits(Section):
    """What a photo or a video may be, and how long one may take to decode."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    max_photo_bytes: int = Field(20 * MIB, gt=0, description="largest photo file, bytes")
    max_video_bytes: int = Field(300 * MIB, gt=0, description="largest video file, bytes")
    max_photo_pixels: int = Field(50_000_000, gt=0, description="largest photo, pixels")
    max_photo_side: int = Field(20_000, gt=0, description="longest side of a photo, pixels")
    photo_side: int = Field(2048, ge=256, le=8192, description="long side of a model's picture")
    max_files: int = Field(60, gt=0, description="files read or recalled for one question")
    child_seconds: float = Field(
        20, gt=0, le=600, description="longest work of a child on one file"
    )


class VideoLimits(Section):
    """How much of a video is looked at."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    max_video_seconds: float = Field(
        180, gt=0, le=3600, description="longest stretch of a video that is looked at, seconds"
    )
    video_candidates: int = Field(
        40, ge=4, le=400, description="frames of a video that are decoded to choose from"
    )
    video_watched: int = Field(
        1_800_000_000,
        ge=0,
        description="pixels of all frames of a video that is watched whole: "
        "the default is a minute of 1280x720; of longer ones single frames are decoded",
    )
    video_decoded: int = Field(
        450_000_000,
        ge=0,
        description="pixels of the frames that are decoded of a longer video to choose from, about",
    )
    survey_seconds: float = Field(
        60, gt=0, le=3600, description="longest decoding of frames of a video"
    )


class ChildLimits(Section):
    """What the child processes that decode files may use."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    children: int = Field(2, ge=1, description="child processes that decode pictures")
    child_memory: int = Field(2048 * MIB, ge=512 * MIB, description="memory of a child, bytes")


class RequestLimits(Section):
    """How much one request to a model may hold."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    max_pictures: int = Field(10, ge=2, le=500, description="pictures in one model request")
    recent_pictures: int = Field(4, ge=0, description="earlier pictures sent again")
    max_prompt_tokens: int = Field(60_000, ge=2_000, description="tokens of one model request")
    max_answer_tokens: int = Field(8_000, ge=16, description="tokens of one answer")
    sight_tokens: int = Field(
        1_200, ge=0, description="tokens that tell a model what was seen in one photo"
    )
    speech_tokens: int = Field(
        2_000, ge=0, description="tokens that tell a model what is spoken in one video"
    )


class TurnLimits(Section):
    """How long a turn may take, and how sure it has to be."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    turn_seconds: float = Field(300, gt=0, le=3600, description="longest turn")
    sight_seconds: float = Field(
        60, gt=0, le=3600, description="longest look at the photos of one question"
    )
    sure_confidence: float = Field(
        0.98, ge=0, le=1, description='a plate read less surely is marked "please check"'
    )


class ToolLimits(Section):
    """How often and for how long a model may call tools in one answer."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    max_tool_calls: int = Field(24, ge=0, description="calls of tools in one answer")
    tool_seconds: float = Field(90, gt=0, le=3600, description="no tool is used later in an answer")


class MessageLimits(Section):
    """How long a message may be, and how it waits for its turn."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    max_question: int = Field(20_000, ge=100, description="characters read of one message")
    burst_seconds: float = Field(
        1.5, ge=0, le=600, description="wait for more after a wordless photo"
    )
    burst_max_seconds: float = Field(10, ge=0, le=600, description="longest such wait")
    notice_seconds: float = Field(3, gt=0, le=3600, description="a longer wait is announced")
    max_waiting: int = Field(20, ge=1, description="messages waiting in one thread")


class WorkerLimits(Section):
    """How many turns run at once, and when one is taken over or given up."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    max_turns: int = Field(32, ge=1, description="turns at once in one process")
    max_attempts: int = Field(5, ge=1, description="tries before a message is given up")
    lease_seconds: float = Field(
        15, ge=1, le=3600, description="a crashed worker's thread waits this long"
    )
    shutdown_seconds: float = Field(25, ge=0, le=3600, description="time to finish after SIGTERM")


class RetentionLimits(Section):
    """How long what is stored is kept."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    retention_days: float = Field(
        30, gt=0, le=3650, description="days that turns and pictures are kept"
    )
    dedup_hours: float = Field(
        24, gt=0, le=720, description="a repeated delivery is known this long"
    )


@dataclass(frozen=True, slots=True)
class Limits:
    """Every limit of the bot itself; only the composition root hands them all on."""

    files: FileLimits
    videos: VideoLimits
    children: ChildLimits
    requests: RequestLimits
    turns: TurnLimits
    tools: ToolLimits
    messages: MessageLimits
    workers: WorkerLimits
    retention: RetentionLimits

    @property
    def sections(self) -> tuple[Section, ...]:
        """The sections in the order they are listed."""
        return tuple(getattr(self, field.name) for field in fields(self))
