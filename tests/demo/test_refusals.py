"""What a program may send instead of the page: each answer one sentence, one line of log, and the server goes on."""

import io

import numpy as np
import pytest
from PIL import Image
from serving import logged, outcome, uploaded

from captioner.pipeline import Captioner
from captioner.vocabulary import MAX_CHARACTERS
from demo.door.log import one_line
from demo.texts.english import FAILED, NOT_SENT

pytestmark = pytest.mark.slow  # a whole server

OVERRIDE, NUL, LONE, BELL = "\u202e", "\x00", "\ud800", "\x1b[2J\a"


@pytest.fixture(scope="module")
def photo(page):
    buffer = io.BytesIO()
    Image.fromarray(np.arange(48 * 32 * 3, dtype=np.uint8).reshape(32, 48, 3)).save(buffer, "PNG")
    return uploaded(page.upload(buffer.getvalue()))


@pytest.fixture
def refused(page, photo, capfd):
    """Asks for something bad, then for something good; returns the sentence."""

    def refused(name, data, event_data=None):
        capfd.readouterr()
        with logged() as lines:
            sentence, toasts = outcome(page.ask(name, data, event_data))
        said = [each for each in (sentence, *toasts) if each]
        assert len(said) == 1, "one sentence"
        assert said[0].count("\n") == 0
        assert said[0][0].isalpha()
        assert len(said[0]) < 250
        assert len(lines) == 1, lines
        assert lines[0].startswith("WARNING refused "), lines
        assert lines[0].isascii()
        assert lines[0].isprintable()
        assert len(lines[0]) < 300
        written = "".join(capfd.readouterr())
        assert "Traceback" not in written
        assert outcome(page.ask("score", [photo, "a dog"])) == (None, []), "and the next one is answered"
        return said[0]

    return refused


NUMBERS = {
    "beam_size": [10_000, 0, -1, 2.5, "3", "", None, [3], {"a": 1}, True, 10**400, 1e400, float("nan")],
    "temperature": [float("nan"), float("inf"), -1, -0.01, 11, "hot", "0", None, [0], {}, True, 10**400],
    "seed": ["0", 0.5, -1, 2**32, 10**30, [0], {}, False, float("nan"), -float("inf")],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in NUMBERS.items() for value in values],
    ids=lambda value: str(value)[:12],
)
@pytest.mark.parametrize("event", ["caption", "search"])
def test_settings_of_a_program(page, photo, refused, event, name, value):
    """``caption`` is for programs; ``search`` is the page's own, behind its sliders."""
    knobs = list({"beam_size": 2, "temperature": 0, "seed": 0, name: value}.values())
    if event == "search":
        if value is None:
            assert outcome(page.ask("search", knobs)) == (None, []), "an emptied field waits for its number"
            return
        name = name.replace("_", " ")
    sentence = refused(event, [photo, *knobs] if event == "caption" else knobs)
    assert sentence.startswith(f"{name} must be a ")
    assert "None" not in sentence


TEXTS = [["a"], {"a": 1}, 5, True]


@pytest.mark.parametrize("value", TEXTS, ids=str)
def test_what_is_no_text(photo, refused, value):
    assert refused("score", [photo, value]).startswith("sentence must be text")
    assert refused("begin_with", [photo, value, 2, 0, 0]).startswith("beginning must be text")
    assert refused("another_word", [photo, 0, value, 2, 0, 0]).startswith("word must be text")


@pytest.mark.parametrize("word", [NUL, LONE, OVERRIDE + "dog", BELL, "x" * 100_000, "<start>", "\n"], ids=ascii)
def test_a_word_that_does_not_exist(photo, refused, word):
    sentence = refused("another_word", [photo, 0, word[:200_000], 2, 0, 0])
    assert sentence.startswith("the model does not know the word '")
    assert sentence.isprintable()
    assert len(sentence) < 120


def test_long_sentences(photo, refused):
    assert f"at most {MAX_CHARACTERS} characters, got 20000" in refused("score", [photo, "a " * 10_000])
    assert f"at most {MAX_CHARACTERS} characters" in refused("begin_with", [photo, "a " * 10_000, 2, 0, 0])
    assert f"at most {MAX_CHARACTERS} characters" in refused("explain", [photo, "a " * 10_000, 0])
    assert "1 to 50 words, got 1000" in refused("score", [photo, "a " * 1000])
    assert "at most 60 words, got 1000" in refused("explain", [photo, "a " * 1000, 0])


@pytest.mark.parametrize("noise", [NUL, LONE, OVERRIDE, "\x1b", "\u2028", "\ufeff", "!?", "\x85"], ids=ascii)
def test_signs_that_no_word_has_are_left_out(page, photo, noise):
    """They are no fault of the sentence: it is scored as it would be without."""
    plain, odd = (page.ask("score", [photo, text])[-2] for text in ("a dog", f"{noise}a {noise} dog{noise}"))
    assert plain["output"]["data"] == odd["output"]["data"]


def test_unknown_words_are_named_and_have_no_number(page, photo):
    (answer,) = page.ask("score", [photo, "a Zebra zxqv"])[-2]["output"]["data"]
    assert [word["word"] for word in answer["words"]] == ["a", "zebra", "zxqv", "<end>"]
    assert [word["probability"] is None for word in answer["words"]] == [False, True, True, False]
    assert (answer["log_prob"], answer["unknown"]) == (None, ["zebra", "zxqv"])
    (known,) = page.ask("score", [photo, "a"])[-2]["output"]["data"]
    assert known["unknown"] == []
    assert known["log_prob"] < 0


MAPS = [None, 5, "map", [], [[]], [[1, 2], [3]], [[1] * 14] * 14, [[float("nan")] * 3] * 3, [[float("inf")] * 3] * 3]
MAPS += [[[-1] * 3] * 3, [["1"] * 3] * 3, [[None] * 3] * 3, [[[1]] * 3] * 3, [[0] * 3] * 3, [[10**400] * 3] * 3]
MAPS += [{"0": [1]}, [[1] * 3] * 10_000]


@pytest.mark.parametrize("rows", MAPS, ids=lambda rows: str(rows)[:20])
def test_maps_and_masks_of_another_size_or_kind(photo, refused, rows):
    assert refused("look_elsewhere", [photo, 0, rows, 2, 0, 0]).startswith("attention must ")
    assert refused("hide", [photo, rows, 2, 0, 0]).startswith("mask must ")


@pytest.mark.parametrize("position", [-1, 99, 0.5, "0", None, [0], True, 10**400, float("nan")], ids=str)
def test_positions_out_of_range(photo, refused, position):
    for name, data in (("another_word", ["dog"]), ("look_elsewhere", [[[1] * 3] * 3])):
        assert refused(name, [photo, position, *data, 2, 0, 0]).startswith("position must be a whole number")
    assert refused("explain", [photo, "a dog", position]).startswith("position must be a whole number")


# --- messages of the page ---------------------------------------------------------------------------------------

QUESTIONS = [
    None,
    [],
    "question",
    5,
    {},
    {"kind": None},
    {"kind": ["word"]},
    {"kind": "order"},
    {"kind": "word", "index": 99, "word": "dog"},
    {"kind": "word", "index": -1, "word": "dog"},
    {"kind": "word", "index": "0", "word": "dog"},
    {"kind": "word", "index": 10**400, "word": "dog"},
    {"kind": "word", "position": 99, "word": "dog"},
    {"kind": "word", "position": 0.5, "word": "dog"},
    {"kind": "word", "position": None, "word": "dog"},
    {"kind": "word", "word": 5},
    {"kind": "word", "word": f"{OVERRIDE}<b>{LONE}"},
    {"kind": "place"} | {"region": "everywhere"},
    {"kind": "place", "region": [0, 0, 99, 0]},
    {"kind": "place", "region": [0, 0, 1]},
    {"kind": "place", "region": [0, 0, float("nan"), 1]},
    {"kind": "hide", "region": [2, 0, 1, 0]},
    {"kind": "hide", "region": {"top": 1}},
    {"kind": "own"},
    {"kind": "own", "sentence": ["a"]},
    {"kind": "own", "sentence": "a " * 10_000},
    {"kind": "settings"},
    {"kind": "settings", "settings": [10_000, 0, 0]},
    {"kind": "settings", "settings": [1, float("nan"), 0]},
    {"kind": "settings", "settings": {"beam": 1}},
]


@pytest.fixture(scope="module")
def shown(page, photo):
    """The page's tab shows a photo with its captions."""
    assert outcome(page.ask("show", [photo, 2, 0, 0])) == (None, [])


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: str(question)[:40])
def test_questions_of_no_sense(refused, shown, question):
    assert "<" not in refused("ask", [], question), "a toast is drawn as markup"


def test_a_field_that_no_question_has_is_not_read(page, shown):
    asked = {"kind": "own", "sentence": "a dog", "admin": True, "__class__": "x", "look": None}
    assert outcome(page.ask("ask", [], asked)) == (None, [])


@pytest.mark.parametrize("knobs", [[None, 0], [0, 0], [2, "hot"], [2, float("nan")], [{}, []]], ids=str)
def test_a_new_seed_for_settings_of_no_sense(refused, shown, knobs):
    assert refused("draw", knobs).startswith(("beam size must be a ", "temperature must be a "))


@pytest.mark.parametrize(("asked", "drawn", "toasts"), [(0, 0.7, 1), (0.7, 0.7, 0), (1.5, 1.5, 0)])
def test_a_new_seed_draws_and_says_if_it_put_the_temperature_up(page, shown, asked, drawn, toasts):
    messages = page.ask("draw", [2, asked])
    failed, said = outcome(messages)
    assert failed is None
    assert said == ["At temperature 0 no word is drawn, so the temperature is now 0.7."] * toasts
    first = next(each["output"]["data"] for each in messages if each["msg"] == "process_generating")
    assert first[2] == drawn
    assert first[3] in range(10_000)


TAKES = [
    None,
    "gif",
    {},
    {"kind": "gif", "index": 0},
    {"kind": "gif", "index": 0, "look": "x", "scale": "caption"},
    {"kind": "gif", "index": 0, "look": ["heat"], "scale": "caption"},
    {"kind": "gif", "index": 0, "look": "heat", "scale": {}},
    {"kind": "exe", "index": 0, "look": "heat", "scale": "caption"},
    {"kind": "../../etc/passwd", "index": 0, "look": "heat", "scale": "caption"},
    {"kind": "json", "index": 99, "look": "heat", "scale": "caption"},
    {"kind": "json", "index": "0", "look": "heat", "scale": "caption"},
    {"kind": "json", "index": float("nan"), "look": "heat", "scale": "caption"},
]


@pytest.mark.parametrize("asked", TAKES, ids=lambda asked: str(asked)[:40])
def test_files_that_cannot_be_made(refused, shown, asked):
    refused("take", [], asked)


@pytest.mark.parametrize("chosen", [None, [], {}, {"name": 5}, {"name": "Moon"}, {"name": "../astronaut"}], ids=str)
def test_examples_that_do_not_exist(refused, chosen):
    refused("show_example", [2, 0, 0], chosen)


@pytest.mark.parametrize("asked", [None, [], {}, {"run": "x"}, {"run": 1, "index": 0, "position": 0}], ids=str)
def test_numbers_of_no_word_are_none(page, shown, asked, capfd):
    with logged() as lines:
        messages = page.ask("numbers", [], asked)
    assert outcome(messages) == (None, [])
    assert messages[-2]["output"]["data"] == [{}]
    assert len(lines) == 1
    assert "Traceback" not in "".join(capfd.readouterr())


def test_a_page_opened_by_a_link_full_of_nonsense(page):
    query = "photo=%00&beam=1e400&temperature=nan&seed=" + "9" * 3000
    assert page.get(f"/?{query}").status_code == 200
    assert outcome(page.ask("show_first", [])) == (None, [])


# --- photos -----------------------------------------------------------------------------------------------------

NO_PHOTOS = [5, "photo", [], True, {}, {"path": None}, {"path": 5}, {"path": ["x"]}, {"path": ""}]
NO_PHOTOS += [uploaded("/nowhere", size="large"), {"path": "x", "meta": 5}, {"path": "x" * 10_000}, {"path": "a\0b"}]


@pytest.mark.parametrize("value", NO_PHOTOS, ids=lambda value: str(value)[:30])
@pytest.mark.parametrize("event", ["caption", "show"])
def test_what_is_no_photo(refused, event, value):
    assert refused(event, [value, 2, 0, 0]) == NOT_SENT


@pytest.mark.parametrize("change", [{"meta": 5}, {"meta": {}}, {"size": "large"}, {"orig_name": ["x"]}], ids=str)
def test_a_sent_photo_with_wrong_particulars(photo, refused, change):
    assert refused("caption", [{**photo, **change}, 2, 0, 0]) == NOT_SENT


def test_too_few_values(refused, photo):
    assert refused("caption", []) == "Please send all 4 values; only 0 came."
    assert refused("search", [2]) == "Please send all 3 values; only 1 came."


def test_a_photo_of_too_many_pixels(page, refused):
    bomb = io.BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    assert "too many pixels" in refused("caption", [uploaded(page.upload(bomb.getvalue())), 2, 0, 0])


@pytest.mark.parametrize("content", [b"", b"no photo", b"\x89PNG\r\n\x1a\n", b"<svg onload='alert(1)'/>", b"%PDF-1.7"])
def test_a_file_that_is_no_photo(page, refused, content):
    name = f"<img src=x onerror=alert(1)>{OVERRIDE}gpj.exe"
    sentence = refused("caption", [uploaded(page.upload(content, name), orig_name=name), 2, 0, 0])
    assert "please" in sentence
    assert "onerror" not in sentence


def test_a_fault_of_our_own_is_one_sentence_and_one_line_too(page, photo, capfd, monkeypatch):
    def fail(*_):
        raise RuntimeError("the secret\nof /etc")

    with monkeypatch.context() as patch, logged() as lines:
        patch.setattr(Captioner, "score", fail)
        assert outcome(page.ask("score", [photo, "a dog"])) == (FAILED, [])
    (line,) = lines
    assert line.startswith("ERROR failed score: RuntimeError at ")
    assert line.endswith("the secret of /etc")
    assert "Traceback" not in "".join(capfd.readouterr())
    assert outcome(page.ask("score", [photo, "a dog"])) == (None, [])


def test_a_line_of_the_log_is_one_line_of_plain_text():
    assert one_line(f"a\nb\r{NUL}{BELL}{OVERRIDE}{LONE}é") == "a b \\x00\\x1b[2J\\x07\\u202e\\ud800\\xe9"
    assert len(one_line("x" * 10_000)) == 200
