"""Every Redis key of the store, in one place.

All keys of a thread stand under the hash tag of its lane, so that each script touches one slot of
a Redis Cluster. A *box* is a mailbox: a thread's own, or its express one (commands that overtake).
"""

from __future__ import annotations

from bot.ports.mailbox import LANES

ROOT = "loupe"
NEWS = f"{ROOT}:news"
EXPRESS = "!"
"""Ends the name of an express box; the rest is the key of its thread."""


def lane_of(key: str) -> int:
    """Return the lane of the key of a thread or a place (hexadecimal digits)."""
    return int(key[:8], 16) % LANES


def prefix(lane: int) -> str:
    """Return what every key of a lane begins with."""
    return f"{ROOT}:{{{lane}}}:"


def box_of(thread: str, *, express: bool) -> str:
    """Return the name of a mailbox of a thread."""
    return thread + EXPRESS if express else thread


def thread_of(box: str) -> str:
    """Return the key of the thread of a mailbox."""
    return box.removesuffix(EXPRESS)


def ready(lane: int) -> str:
    """Return the sorted set of boxes, by when each may be taken: now, lease expiry, retry (ms)."""
    return prefix(lane) + "ready"


def aging(lane: int) -> str:
    """Return the sorted set of threads, by the time of their oldest turn or file (ms)."""
    return prefix(lane) + "aging"


def turns(thread: str) -> str:
    """Return the sorted set of a thread's turns as JSON, by the time of their commit (ms)."""
    return f"{prefix(lane_of(thread))}{thread}:turns"


def photos(thread: str) -> str:
    """Return the hash of a thread's photos and videos: field (see `file_field`) to JSON."""
    return f"{prefix(lane_of(thread))}{thread}:photos"


def file_field(number: int, kind: str) -> str:
    """Return the field of a photo or video: its number, for a video with V before it."""
    return f"V{number}" if kind == "videos" else str(number)


def request(thread: str) -> str:
    """Return the key of the messages of the last model request, as JSON."""
    return f"{prefix(lane_of(thread))}{thread}:request"


def settings(owner: str) -> str:
    """Return the hash of the settings made at a thread or a place."""
    return f"{prefix(lane_of(owner))}{owner}:settings"


def once(place: str, what: str) -> str:
    """Return the key that is set for a day once something was said in a place."""
    return f"{prefix(lane_of(place))}{place}:once:{what}"


def sends(box: str, seq: int) -> str:
    """Return the hash of the sends that a message led to: number to {"id", "shown", "at"}."""
    return f"{prefix(lane_of(box))}{box}:sends:{seq}"


# The scripts of the mailbox build these from the prefix of the lane, because the box is known only
# within take.lua:
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
