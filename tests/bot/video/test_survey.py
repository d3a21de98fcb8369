"""A survey: which of the decoded frames are candidates, what changed, and keeping it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from bot.domain.sightings import DetectedObject, Sighting, TextLine
from bot.media.frame_marks import MAX_NOISE
from bot.media.frames import FrameSpec, VideoFrame
from bot.video.candidates import MAX_CHANGES, Candidate, PlannedFrame, Survey
from bot.video.survey import build_survey, dump_survey, load_survey

SPANS = ((0.0, 10.0),)


def mark(level: int, patch: int | None = None) -> bytes:
    """A small grey frame, perhaps with a patch of another level in it."""
    pixels = np.full((18, 32, 3), level, np.uint8)
    if patch is not None:
        pixels[6:9, 8:12] = patch
    return pixels.tobytes()


def shot(at: float, level: int, sharpness: float = 100.0, jump: float = 0.0) -> VideoFrame:
    return VideoFrame(at, f"jpeg {at}".encode(), 64, 36, mark(level), sharpness, 90.0, jump)


def times(survey: Survey) -> list[float]:
    return [one.at for one in survey.candidates]


def survey_of(*shots: VideoFrame, plan: tuple[PlannedFrame, ...] = ()) -> Survey:
    return build_survey(SPANS, plan, shots, 40, partial=False)


def test_frames_become_candidates_in_the_order_of_their_times() -> None:
    result = build_survey(SPANS, (), [shot(2.0, 200), shot(0.5, 20, jump=51.0)], 40, partial=True)
    first = Candidate(0.5, b"jpeg 0.5", 64, 36, mark(20), 100.0, 90.0, 0.2)
    assert result == Survey(SPANS, (first, replace(result.candidates[1])), partial=True)
    assert times(result) == [0.5, 2.0]
    assert result.candidates[1].change == 0.0


def test_of_near_duplicates_one_is_kept() -> None:
    assert times(survey_of(shot(0.0, 100), shot(1.0, 103), shot(2.0, 100))) == [0.0]
    assert times(survey_of(shot(0.0, 100), shot(1.0, 100 + round(MAX_NOISE) + 1))) == [0.0, 1.0]


def test_a_look_that_comes_back_is_still_a_duplicate() -> None:
    assert times(survey_of(shot(0.0, 50), shot(1.0, 150), shot(2.0, 50))) == [0.0, 1.0]


def test_a_small_part_that_differs_is_no_duplicate() -> None:
    small = replace(shot(1.0, 100), mark=mark(100, patch=130))
    assert times(survey_of(shot(0.0, 100), small)) == [0.0, 1.0]


def test_of_near_duplicates_the_clearly_sharper_is_kept() -> None:
    assert times(survey_of(shot(0.0, 100, 100.0), shot(1.0, 100, 119.0))) == [0.0]
    assert times(survey_of(shot(0.0, 100, 100.0), shot(1.0, 100, 121.0))) == [1.0]
    between = survey_of(shot(0.0, 100, 50.0), shot(1.0, 200), shot(2.0, 100, 99.0))
    assert times(between) == [1.0, 2.0]


def test_of_near_duplicates_the_one_that_changed_is_kept() -> None:
    assert times(survey_of(shot(0.0, 100), shot(1.0, 100, jump=40.0))) == [1.0]


@pytest.mark.parametrize("at", [4.0, 4 + 1 / 3, 4.0625])
def test_a_cut_is_as_large_as_it_differs_from_the_frame_before(at: float) -> None:
    """Of a key frame no frame before it was decoded; and times of frames are rounded."""
    plan = (PlannedFrame(FrameSpec(0.0), 1), PlannedFrame(FrameSpec(at), 1, 0.5))
    result = survey_of(shot(0.0, 20), shot(round(at, 3), 122), plan=plan)
    assert result.candidates[1].change == pytest.approx(0.4)
    assert result.changes == (round(at, 3),)


def test_a_key_frame_in_turn_and_a_change_that_was_measured_are_no_cuts() -> None:
    plan = (PlannedFrame(FrameSpec(1.0), 1), PlannedFrame(FrameSpec(2.0, 2.2), 9, 0.5))
    result = survey_of(shot(0.0, 20), shot(1.0, 80), shot(2.0, 200, jump=10.2), plan=plan)
    assert [one.change for one in result.candidates] == [0.0, 0.0, 0.04]


def test_the_first_frame_is_no_cut() -> None:
    result = survey_of(shot(0.0, 200), plan=(PlannedFrame(FrameSpec(0.0), 1, 0.5),))
    assert result.candidates[0].change == 0.0


def test_changes_are_the_largest_in_the_order_of_time() -> None:
    shots = [shot(float(i), 12 * i, jump=20.0 + 5 * (i * 7 % 20)) for i in range(20)]
    result = survey_of(*shots)
    large = sorted((one for one in result.candidates), key=lambda one: -one.change)[:MAX_CHANGES]
    assert result.changes == tuple(sorted(one.at for one in large))
    assert len(result.changes) == MAX_CHANGES
    assert survey_of(shot(0.0, 0, jump=23.0), shot(1.0, 99, jump=25.0)).changes == (1.0,)


def test_what_was_seen_is_known_by_its_time() -> None:
    result = survey_of(shot(0.0, 20), shot(1.5, 90), shot(3.0, 200))
    assert result.sightings_by_time == {}
    sign = Sighting(captions=("a sign",), engine="e 1")
    assert replace(result, sightings=(None, sign, None)).sightings_by_time == {1.5: sign}


def test_a_survey_is_kept_whole() -> None:
    corners = ((0.1, 0.2), (0.3, 0.2), (0.3, 0.4), (0.1, 0.4))
    sign = Sighting(
        (TextLine("STOP", corners, 0.9),), (DetectedObject("car", corners, 0.5),), ("a",), "e"
    )
    result = build_survey(SPANS, (), [shot(0.0, 20), shot(1 / 3, 90, jump=80.0)], 40, partial=True)
    whole = replace(result, sightings=(sign, None), vectors=((0.1, -0.2), (0.3, 0.4)))
    raw = replace(whole.candidates[0], jpeg=bytes(range(256)))
    whole = replace(whole, candidates=(raw, whole.candidates[1]))
    assert load_survey(dump_survey(whole)) == whole
    assert load_survey(dump_survey(result)) == result


@pytest.mark.parametrize("data", [b"", b"{}", b"not JSON", b'{"spans": 3}', b"\xff\xfe"])
def test_what_another_version_kept_is_read_as_none(data: bytes) -> None:
    assert load_survey(data) is None
