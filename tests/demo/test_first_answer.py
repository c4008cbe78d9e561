"""The first answer: what a page plays on arrival is data, of the very model that answers questions about it."""

import json
from dataclasses import replace

import pytest
from pages import gradient
from PIL import Image
from tiny import make_checkpoint

from captioner.card import read_card
from captioner.pipeline import DEFAULT_CHECKPOINT, Captioner
from demo.page.examples import RECORD, answer_message, examples, first_answer, first_message, made_of
from demo.protocol.payload import same_address
from demo.runs.engine import Engine, FirstAnswer
from demo.runs.questions import NoAttention
from demo.runs.sessions import ForgottenError
from demo.runs.tabs import Tabs

pytestmark = pytest.mark.slow  # a whole page each

RUN = 7


@pytest.fixture
def first(tmp_path) -> FirstAnswer:
    photo = tmp_path / "photo.png"
    Image.fromarray(gradient()).save(photo)
    return FirstAnswer(Engine(Captioner(make_checkpoint()), tmp_path / "files"), photo, "Gradient", RUN)


def write(path, first: FirstAnswer, message) -> None:
    of = made_of(first.engine.captioner.card, first)
    path.write_text(json.dumps({"of": of, "answers": {first.engine.captioner.encoder.form: message}}))


def test_a_record_of_this_model_is_shown_and_the_model_not_asked(first, tmp_path):
    write(tmp_path / "record.json", first, {"words": ["kept"]})
    expected = {"words": ["kept"], "run": RUN, "photo": str(first.source)}
    assert first_message(first, tmp_path / "record.json") == expected
    assert not first.is_found


@pytest.mark.parametrize("change", ["checkpoint", "beam size", "photo", "version"])
def test_a_record_of_anything_else_is_not(first, tmp_path, change):
    record = tmp_path / "record.json"
    write(record, first, {"words": ["kept"]})
    kept = json.loads(record.read_text())
    record.write_text(json.dumps({**kept, "of": {**kept["of"], change: "another"}}))
    assert first_message(first, record)["words"] != ["kept"]
    assert first.is_found


@pytest.mark.parametrize("content", ["", "[]", "{}", "{", '{"of": 1, "answers": {}}'])
def test_without_a_record_the_model_is_asked(first, tmp_path, content):
    record = tmp_path / "record.json"
    record.write_text(content)
    message = first_message(first, record)
    caption = first.engine.captioner.caption(first.source)
    assert [message["words"][place][0] for place in message["shown"]] == list(caption.words)
    assert (message["phase"], message["run"], message["example"]) == ("done", RUN, "Gradient")


@pytest.mark.skipif(not (DEFAULT_CHECKPOINT / "card.json").is_file(), reason="the bundled checkpoint is not here")
def test_the_record_is_of_the_bundled_checkpoint(first):
    card, greeting = read_card(DEFAULT_CHECKPOINT / "card.json"), examples()[0]
    kept = json.loads(RECORD.read_text(encoding="utf-8"))
    of_greeting = FirstAnswer(first.engine, greeting.path, greeting.name, RUN)
    assert kept["of"] == made_of(card, of_greeting), "please run: python -m demo.page.examples"
    assert kept["of"] != made_of(replace(card, sha256={}), of_greeting)


@pytest.mark.slow
@pytest.mark.skipif(not (DEFAULT_CHECKPOINT / "card.json").is_file(), reason="the bundled checkpoint is not here")
def test_the_record_is_what_the_bundled_model_finds(tmp_path):
    captioner = Captioner.load(form="float32")
    found = answer_message(first_answer(Engine(captioner, tmp_path), RUN))
    kept = json.loads(RECORD.read_text(encoding="utf-8"))["answers"]["float32"]
    assert [word[0] for word in kept["words"]] == [word[0] for word in found["words"]]
    assert [word[1] for word in kept["words"]] == pytest.approx([word[1] for word in found["words"]], rel=0.02)


def test_a_tab_that_asks_about_it_has_the_models_own_result_found_once(first, monkeypatch):
    tabs = Tabs(first.engine, first=first)
    looked = []
    look = first.engine.captioner.look
    monkeypatch.setattr(first.engine.captioner, "look", lambda photo: looked.append(photo) or look(photo))
    for tab in ("one", "two"):
        assert not tabs.knows(tab)
        assert [update.run for update in tabs.recall(tab, RUN)] == [RUN]
        *_, answered = tabs.ask(tab, NoAttention())
        assert answered.result.found[0].caption.words == first.found().guess.leader.words
        assert answered.result.found[-1].origin == "uniform"
        assert answered.result.run > RUN
        assert list(tabs.recall(tab, RUN)) == [], "it is known now"
    assert len(looked) == 1


def test_a_tab_that_nobody_knows_is_told_so(first):
    tabs = Tabs(first.engine, first=first)
    for run in (0, RUN - 1, RUN + 1):
        with pytest.raises(ForgottenError):
            list(tabs.recall("tab", run))
    with pytest.raises(ForgottenError):
        list(Tabs(first.engine).recall("tab", RUN))
    assert not first.is_found


def test_an_address_that_asks_for_nothing_else_gets_the_first_answer(first):
    beam = str(first.settings.beam_size)
    for query in ({}, {"lang": "ko"}, {"beam": beam, "temperature": "0", "seed": "0", "photo": "Gradient"}):
        assert same_address(query, first.name, first.settings)
    for query in ({"photo": "own"}, {"photo": "Corgi"}, {"beam": "9"}, {"temperature": "0.5"}, {"seed": "x"}):
        assert not same_address(query, first.name, first.settings)
