"""The named endpoints through Gradio's own client: what they answer, what they refuse."""

from pathlib import Path

import numpy as np
import pytest
from pages import decode_alpha
from PIL import Image

from captioner.override import AttentionOverride
from captioner.photo import hide, prepare
from captioner.search import SearchSettings

pytestmark = pytest.mark.slow  # a whole server, and Gradio's own client

gradio_client = pytest.importorskip("gradio_client")

KNOBS = ["beam_size", "temperature", "seed"]
PARAMETERS = {
    "/caption": ["photo", *KNOBS],
    "/score": ["photo", "sentence"],
    "/begin_with": ["photo", "beginning", *KNOBS],
    "/another_word": ["photo", "position", "word", *KNOBS],
    "/look_elsewhere": ["photo", "position", "attention", *KNOBS],
    "/hide": ["photo", "mask", *KNOBS],
    "/no_attention": ["photo", *KNOBS],
    "/explain": ["photo", "sentence", "position"],
}
CORNER = [[1, 0, 0], [0, 0, 0], [0, 0, 0]]
TWO = {"beam_size": 2, "temperature": 0, "seed": 0}


@pytest.fixture(scope="module")
def photo(tmp_path_factory) -> Path:
    path = tmp_path_factory.mktemp("photo") / "photo.png"
    Image.fromarray(np.arange(48 * 32 * 3, dtype=np.uint8).reshape(32, 48, 3)).save(path)
    return path


@pytest.fixture(scope="module")
def look(captioner, photo):
    return captioner.look(str(photo))


@pytest.fixture
def ask(client, photo):
    def ask(name, **arguments):
        return client.predict(photo=gradio_client.handle_file(photo), **arguments, api_name=name)

    return ask


def said(answer):
    return [word["word"] for word in answer["words"]]


def test_only_the_documented_endpoints_are_public(client):
    named = client.view_api(return_format="dict")["named_endpoints"]
    parameters = {name: [each["parameter_name"] for each in api["parameters"]] for name, api in named.items()}
    assert parameters == PARAMETERS


def test_every_endpoint_says_what_it_does(client):
    named = client.view_api(return_format="dict")["named_endpoints"]
    for name, api in named.items():
        assert len(api["description"]) > 60, name
        assert len(api["returns"]) == 1, name
        for each in (*api["parameters"], *api["returns"]):
            assert each["python_type"]["description"] not in ("", "any valid json"), (name, each)
    assert "3 rows of 3 numbers" in client.view_api(return_format="str")


def test_begin_with_goes_on_from_the_words(ask, captioner, look):
    answer = ask("/begin_with", beginning="A dog", **TWO)
    expected = captioner.caption(look, SearchSettings(2), "a dog")
    assert said(answer) == list(expected.words)
    assert said(answer)[:2] == ["a", "dog"]
    assert answer["log_prob"] == pytest.approx(expected.log_prob, rel=1e-3)


def test_another_word_branches_off(ask, captioner, look):
    answer = ask("/another_word", position=1, word="<img src=x onerror=alert(1)>", **TWO)
    before = captioner.caption(look, SearchSettings(2))
    assert said(answer["before"]) == list(before.words)
    after = captioner.caption(look, SearchSettings(2), [before.words[0], "<img src=x onerror=alert(1)>"])
    assert said(answer["after"]) == list(after.words)


def test_look_elsewhere_says_how_the_word_changes(ask, captioner, look):
    answer = ask("/look_elsewhere", position=1, attention=CORNER, **TWO)
    words = captioner.caption(look, SearchSettings(2)).words
    override = AttentionOverride({1: np.array(CORNER, float)})
    before, after = captioner.look_elsewhere(look, words, 1, override)
    assert said(answer["after"]) == list(captioner.caption(look, SearchSettings(2), words[:1], override).words)
    change = {word: chances for word, *chances in answer["change"]["words"]}
    for each, place in ((before, 0), (after, 1)):
        for other in each.alternatives:
            assert change[other.word][place] == pytest.approx(other.probability, rel=1e-3)
    forced = answer["after"]["words"][1]
    np.testing.assert_allclose(decode_alpha(forced["attention"], forced["largest"], (3, 3)), CORNER, atol=1e-6)


def test_hide_captions_the_painted_photo(ask, captioner, photo):
    answer = ask("/hide", mask=CORNER, **TWO)
    painted = hide(prepare(str(photo), captioner.card.photo).view, np.array(CORNER, bool), captioner.card.photo)
    expected = captioner.caption(captioner.look(painted), SearchSettings(2))
    assert said(answer["after"]) == list(expected.words)
    assert answer["after"]["log_prob"] == pytest.approx(expected.log_prob, rel=1e-3)
    assert answer["before"]["log_prob"] != answer["after"]["log_prob"]


def test_no_attention_is_level(ask):
    answer = ask("/no_attention")
    assert [word["largest"] for word in answer["after"]["words"]] == pytest.approx(
        [1 / 9] * len(said(answer["after"])), 1e-3
    )
    assert max(word["largest"] for word in answer["before"]["words"]) > 1 / 9


def test_explain_gives_the_equations(ask, captioner, look):
    answer = ask("/explain", sentence="A dog runs.", position=2)
    expected = captioner.explain(look, "a dog runs", 2)
    np.testing.assert_allclose(answer["energies"], expected.energies, rtol=1e-3)
    assert (answer["word"], answer["previous"]) == ("runs", "dog")
    energies = np.array(answer["energies"])
    np.testing.assert_allclose(answer["alpha"], np.exp(energies) / np.exp(energies).sum(), rtol=1e-3)
    for _, logit, probability in answer["words"]:
        assert probability == pytest.approx(np.exp(logit - answer["log_normalizer"]), rel=1e-3)


BIG = [[0] * 14] * 14
REFUSED = [
    ("/begin_with", {"beginning": "a zebra"}, "does not know the word 'zebra'"),
    ("/begin_with", {"beginning": "a " * 60}, "at most 40 words"),
    ("/begin_with", {"beginning": "a", "beam_size": 2.5}, "beam_size must be a whole number"),
    ("/begin_with", {"beginning": "a", "temperature": -1}, "temperature must be"),
    ("/begin_with", {"beginning": "a", "seed": -1}, "seed must be"),
    ("/another_word", {"position": 99, "word": "dog"}, "position must be a whole number from 0 to"),
    ("/another_word", {"position": -1, "word": "dog"}, "position must be a whole number from 0 to"),
    ("/another_word", {"position": 0.5, "word": "dog"}, "position must be a whole number"),
    ("/another_word", {"position": None, "word": "dog"}, "position must be a whole number"),
    ("/another_word", {"position": 0, "word": "unheard"}, "does not know the word 'unheard'"),
    ("/another_word", {"position": 0, "word": ""}, "does not know the word ''"),
    ("/another_word", {"position": 0, "word": "<pad>"}, "does not know the word '<pad>'"),
    ("/look_elsewhere", {"position": 99, "attention": CORNER}, "position must be"),
    ("/look_elsewhere", {"position": 0, "attention": BIG}, "3 rows of 3 numbers, got 14 rows of 14"),
    ("/look_elsewhere", {"position": 0, "attention": [[0] * 3] * 3}, "must not be 0 everywhere"),
    ("/look_elsewhere", {"position": 0, "attention": [[-1, 1, 1]] * 3}, "finite numbers from 0 up"),
    ("/look_elsewhere", {"position": 0, "attention": [["1", 1, 1]] * 3}, "finite numbers from 0 up"),
    ("/look_elsewhere", {"position": 0, "attention": None}, "attention must be 3 rows"),
    ("/look_elsewhere", {"position": 0, "attention": {"row": 1}}, "attention must be 3 rows"),
    ("/hide", {"mask": BIG}, "3 rows of 3 numbers, got 14 rows of 14"),
    ("/hide", {"mask": [[0, 0.5, 1]] * 3}, "only 0 and 1"),
    ("/hide", {"mask": [[0] * 3] * 3}, "must not be 0 everywhere"),
    ("/explain", {"sentence": "a dog", "position": 3}, "position must be a whole number from 0 to 2"),
    ("/score", {"sentence": " "}, "a sentence must have 1 to 50 words"),
]


@pytest.mark.parametrize(("name", "arguments", "sentence"), REFUSED)
def test_a_bad_argument_is_refused_in_one_sentence(ask, name, arguments, sentence):
    with pytest.raises(gradio_client.exceptions.AppError, match=sentence) as refusal:
        ask(name, **arguments)
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", PARAMETERS)
def test_a_missing_photo_is_refused(client, name):
    filled = {"beginning": "a", "sentence": "a", "position": 0, "word": "a", "attention": CORNER, "mask": CORNER}
    arguments = {key: filled[key] for key in PARAMETERS[name] if key in filled}
    with pytest.raises(gradio_client.exceptions.AppError, match="Please send a photo"):
        client.predict(photo=None, **arguments, api_name=name)
