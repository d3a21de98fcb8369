"""Every Redis key of the store, in one place.

All keys of a thread stand under the hash tag of its lane, so that each script touches one slot of
a Redis Cluster. A *box* is a mailbox: a thread's own, or its express one (commands that overtake).
"""

from __future__ import annotations

from bot.ports.mailbox import LANES

ROOT = "loupe"
NEWS = f"{ROOT}:news"
EXPRESS = "!"
"""Ends the name of an express box; the rest is the thread's key."""


def lane_of(key: str) -> int:
    """Tell the lane of a thread's or a place's key (hexadecimal digits)."""
    return int(key[:8], 16) % LANES


def prefix(lane: int) -> str:
    """Begin every key of a lane."""
    return f"{ROOT}:{{{lane}}}:"


def box_of(thread: str, *, express: bool) -> str:
    """Name a mailbox of a thread."""
    return thread + EXPRESS if express else thread


def thread_of(box: str) -> str:
    """Name the thread of a mailbox."""
    return box.removesuffix(EXPRESS)


def ready(lane: int) -> str:
    """Sorted set of boxes by when they may be taken (ms): now, lease expiry, or retry time."""
    return prefix(lane) + "ready"


def aging(lane: int) -> str:
    """Sorted set of threads by the time of the oldest thing they remember (ms)."""
    return prefix(lane) + "aging"


def turns(thread: str) -> str:
    """Sorted set of a thread's turns as JSON, by the time of their commit (ms)."""
    return f"{prefix(lane_of(thread))}{thread}:turns"


def photos(thread: str) -> str:
    """Hash of a thread's photos and videos: number, of a video with V before it, to JSON."""
    return f"{prefix(lane_of(thread))}{thread}:photos"


def file_field(number: int, kind: str) -> str:
    """Name the field of a photo or video in that hash."""
    return f"V{number}" if kind == "videos" else str(number)


def request(thread: str) -> str:
    """The messages of the last model request, as JSON."""
    return f"{prefix(lane_of(thread))}{thread}:request"


def settings(owner: str) -> str:
    """Hash of the settings made at a thread or a place."""
    return f"{prefix(lane_of(owner))}{owner}:settings"


def once(place: str, what: str) -> str:
    """Set while something was already said in a place today."""
    return f"{prefix(lane_of(place))}{place}:once:{what}"


def sends(box: str, seq: int) -> str:
    """Hash of the sends that a message led to: number to {"id", "shown", "at"}."""
    return f"{prefix(lane_of(box))}{box}:sends:{seq}"


# The scripts of the mailbox build these from the lane's prefix, because a box is known only
# inside TAKE:
#   <thread>:state        hash seq, gen (generation), stop (place stopped up to), gone:<post> (place
#                         of the edit or deletion that withdraws a post, until that is done)
#   <box>:slips           list of {"seq", "at", "author", "gathers", "joins", "before", "post",
#                         "withdraws"}, the order
#   <box>:mail            hash seq to message JSON
#   <box>:lease           hash owner (token), attempts, answered (finished turn JSON), last (place
#                         of the run), open (1 while it waits for more)
#   <box>:sends:<seq>     as in `sends`
#   seen:<digest>         place of a message that was accepted already
#   dead                  list of dead letters
