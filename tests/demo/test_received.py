"""What comes from a browser or a program: what is taken, and what is refused in one sentence."""

import itertools

import numpy as np
import pytest

from captioner.search import SearchSettings, SettingsError
from demo.protocol.received import (
    AskedWord,
    asked_file,
    asked_word,
    linked_settings,
    map_rows,
    mask_rows,
    question,
    region_map,
    search_settings,
)
from demo.runs.questions import AnotherWord, Hide, LookElsewhere, NoAttention, OtherSettings, OwnSentence

GRID = (3, 2)


def test_numbers_of_the_page_become_settings():
    assert search_settings(3.0, 1, None) == SearchSettings(3, 1.0, 0)
    for beam_size, temperature, seed in ((2.5, 0, 0), (True, 0, 0), ("3", 0, 0), (3, None, 0), (3, 0, -1)):
        with pytest.raises(SettingsError):
            search_settings(beam_size, temperature, seed)


@pytest.mark.parametrize(
    ("sent", "kind", "parts"),
    [
        ({"kind": "word", "index": 2.0, "position": 1, "word": "dog"}, AnotherWord, {"position": 1, "word": "dog"}),
        ({"kind": "uniform", "index": 2, "region": "not read"}, NoAttention, {}),
        ({"kind": "own", "index": 2, "sentence": "a dog"}, OwnSentence, {"sentence": "a dog"}),
        (
            {"kind": "settings", "index": 2, "settings": [2, 0.5, 3]},
            OtherSettings,
            {"settings": SearchSettings(2, 0.5, 3)},
        ),
    ],
    ids=lambda each: each["kind"] if isinstance(each, dict) and "kind" in each else None,
)
def test_a_question_is_of_its_own_class_and_has_what_was_sent(sent, kind, parts):
    asked = question(sent, GRID)
    assert type(asked) is kind
    assert asked.index == 2
    assert asked.origin == sent["kind"]
    assert {name: getattr(asked, name) for name in parts} == parts


@pytest.mark.parametrize("kind", ["word", "place", "hide", "uniform", "own", "settings"])
def test_what_was_changed_is_kept_only_where_it_is_asked_for(kind):
    parts = {"kind": kind, "region": [0, 0, 0, 0], "settings": [1, 0, 0]}
    assert question({**parts, "keep": True}, GRID).keep
    for other in ({}, {"keep": False}, {"keep": None}, {"keep": "true"}):
        assert not question({**parts, **other}, GRID).keep


@pytest.mark.parametrize(("kind", "made"), [("place", LookElsewhere), ("hide", Hide)])
def test_a_question_about_a_place_has_its_map(kind, made):
    asked = question({"kind": kind, "position": 1, "region": [1, 1, 2, 1]}, GRID)
    assert type(asked) is made
    np.testing.assert_array_equal(asked.weights if kind == "place" else asked.mask, [[0, 0], [0, 1], [0, 1]])


def test_a_region_is_its_cells_from_the_first_corner_to_the_last():
    rows, columns = 4, 3
    for top, left, bottom, right in itertools.product(range(rows), range(columns), range(rows), range(columns)):
        if top <= bottom and left <= right:
            cells = [
                [top <= row <= bottom and left <= column <= right for column in range(columns)] for row in range(rows)
            ]
            np.testing.assert_array_equal(region_map([top, left, bottom, right], (rows, columns)), cells)


@pytest.mark.parametrize("region", [None, [0, 0, 99, 0], [2, 0, 1, 0], [0, 0, 0, 2], [-1, 0, 0, 0]], ids=str)
def test_a_place_that_is_not_on_the_photo(region):
    with pytest.raises(SettingsError, match="Please choose a place on the photo first"):
        region_map(region, GRID)


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {},
        {"kind": "word", "position": "x"},
        {"kind": "word", "index": None},
        {"kind": "order"},
        {"kind": "place"},
        {"kind": "hide", "region": [1]},
        {"kind": "settings"},
        {"kind": "branch"},
        {"kind": "branch", "words": "a dog"},
        {"kind": "branch", "words": ["a", 1]},
        *(
            {"kind": "settings", "settings": settings}
            for settings in (
                [0, 0, 0],
                [1, 0],
                [1.5, 0, 0],
                [1, float("nan"), 0],
                [1, None, 0],
                "abc",
                5,
                [1e400, 0, 0],
            )
        ),
    ],
    ids=str,
)
def test_a_question_that_is_none(wrong):
    with pytest.raises(SettingsError):
        question(wrong, GRID)


def test_a_word_and_a_file_that_the_page_wants():
    assert asked_word({"run": 5.0, "index": 1, "position": 2, "more": 3}) == AskedWord(5, 1, 2)
    asked = asked_file({"kind": "gif", "index": 1, "look": "spotlight", "scale": "word"})
    assert (asked.kind, asked.index, asked.style.look, asked.style.scale) == ("gif", 1, "spotlight", "word")
    with pytest.raises(SettingsError, match="scale must be one of caption, word"):
        asked_file({"kind": "gif", "index": 1, "look": "heat", "scale": "all"})


@pytest.mark.parametrize(
    ("query", "settings"),
    [
        ({}, SearchSettings(3)),
        ({"beam": "2", "temperature": "0.5", "seed": "7"}, SearchSettings(2, 0.5, 7)),
        ({"beam": "2.5"}, SearchSettings(3)),
        ({"beam": "1e400"}, SearchSettings(3)),
        ({"beam": "x", "seed": "7"}, SearchSettings(3)),
    ],
    ids=str,
)
def test_a_link_restores_settings_or_the_default(query, settings):
    assert linked_settings(query, 3) == settings


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [[]],
        [1, 2],
        "rows",
        [[1, 2]],
        [[1, 2]] * 3,
        [[1, 2], [3]],
        [[float("nan"), 1]] * 2,
        [[float("inf"), 1]] * 2,
        [[10**400, 1]] * 2,
    ],
)
def test_rows_that_are_no_map(rows):
    with pytest.raises(SettingsError, match=r"^attention must"):
        map_rows(rows, (2, 2))
    with pytest.raises(SettingsError, match=r"^mask must"):
        mask_rows(rows, (2, 2))
    np.testing.assert_array_equal(mask_rows([[True, 0], [0, 1]], (2, 2)), [[1, 0], [0, 1]])


def test_a_map_stands_as_the_grid_does():
    np.testing.assert_array_equal(map_rows([[0, 1], [2, 3], [4, 5]], GRID), np.arange(6).reshape(GRID))
    with pytest.raises(SettingsError, match=r"must be 3 rows of 2 numbers, got 2 rows of 3"):
        map_rows([[0, 1, 2], [3, 4, 5]], GRID)
