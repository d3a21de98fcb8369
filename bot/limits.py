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
    photo_side: int = Field(
        2048, ge=256, le=8192, description="long side of a picture that a model gets, pixels"
    )
    max_files: int = Field(
        60, gt=0, description="most files for one question, including recalled ones"
    )
    child_seconds: float = Field(
        20, gt=0, le=600, description="longest time to open one file, seconds"
    )


class VideoLimits(Section):
    """How much of a video is looked at."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    max_video_seconds: float = Field(
        180,
        gt=0,
        le=3600,
        description="longest part of a video to look at for one question, seconds",
    )
    video_candidates: int = Field(40, ge=4, le=400, description="frames of a video to choose from")
    video_watched: int = Field(
        1_800_000_000,
        ge=0,
        description="a video with at most this many pixels in all its frames is watched whole; "
        "the default is one minute of 1280x720",
    )
    video_decoded: int = Field(
        450_000_000,
        ge=0,
        description="about how many pixels are decoded of a longer video",
    )
    survey_seconds: float = Field(
        60, gt=0, le=3600, description="longest time to decode frames of a video, seconds"
    )


class ChildLimits(Section):
    """What the child processes that decode files may use."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    children: int = Field(2, ge=1, description="child processes that decode pictures")
    child_memory: int = Field(
        2048 * MIB, ge=512 * MIB, description="memory of one child process, bytes"
    )


class RequestLimits(Section):
    """How much one request to a model may hold."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    max_pictures: int = Field(10, ge=2, le=500, description="most pictures in one model request")
    recent_pictures: int = Field(4, ge=0, description="earlier pictures that are sent again")
    max_prompt_tokens: int = Field(60_000, ge=2_000, description="most tokens of one model request")
    max_answer_tokens: int = Field(8_000, ge=16, description="most tokens of one answer")
    sight_tokens: int = Field(
        1_200, ge=0, description="most tokens to describe what was seen in one photo"
    )
    speech_tokens: int = Field(2_000, ge=0, description="most tokens for what is said in one video")


class TurnLimits(Section):
    """How long a turn may take, and how sure it has to be."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    turn_seconds: float = Field(
        300, gt=0, le=3600, description="longest time for one turn, seconds"
    )
    sight_seconds: float = Field(
        60, gt=0, le=3600, description="longest time to analyse the photos of one question, seconds"
    )
    sure_confidence: float = Field(
        0.98, ge=0, le=1, description='a plate read with less confidence is marked "please check"'
    )


class ToolLimits(Section):
    """How often and for how long a model may call tools in one answer."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    max_tool_calls: int = Field(24, ge=0, description="most tool calls in one answer")
    tool_seconds: float = Field(
        90, gt=0, le=3600, description="tools can be used for this long in one answer, seconds"
    )


class MessageLimits(Section):
    """How long a message may be, and how it waits for its turn."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    max_question: int = Field(20_000, ge=100, description="most characters of one message")
    burst_seconds: float = Field(
        1.5, ge=0, le=600, description="wait for more messages after a photo without words, seconds"
    )
    burst_max_seconds: float = Field(10, ge=0, le=600, description="longest such wait, seconds")
    notice_seconds: float = Field(
        3, gt=0, le=3600, description="people who wait longer get a notice, seconds"
    )
    max_waiting: int = Field(20, ge=1, description="most messages waiting in one thread")


class WorkerLimits(Section):
    """How many turns run at once, and when one is taken over or given up."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    max_turns: int = Field(32, ge=1, description="most turns at the same time in one process")
    max_attempts: int = Field(5, ge=1, description="attempts before a message is given up")
    lease_seconds: float = Field(
        15, ge=1, le=3600, description="after a crash a thread waits this long, seconds"
    )
    shutdown_seconds: float = Field(
        25, ge=0, le=3600, description="time to finish answers after SIGTERM, seconds"
    )


class RetentionLimits(Section):
    """How long what is stored is kept."""

    model_config = SettingsConfigDict(env_prefix="LOUPE_")

    retention_days: float = Field(
        30, gt=0, le=3650, description="turns and pictures are kept for this many days"
    )
    dedup_hours: float = Field(
        24, gt=0, le=720, description="repeated deliveries are recognised for this many hours"
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
