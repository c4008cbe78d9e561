"""What the page's modules compute, against other people's programs; Node runs them as they are."""

from __future__ import annotations

import json
import shutil
import subprocess
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from pages import GREEDY, gradient, make_caption, unfold
from skimage.transform import pyramid_expand
from tiny import make_checkpoint

from captioner.pipeline import Captioner, Guess
from demo.page.player import STATIC
from demo.protocol.payload import WordPool, folded, guess_message
from demo.protocol.received import question
from demo.runs.engine import Engine
from demo.runs.questions import NoAttention
from demo.runs.tabs import Tabs
from demo.runs.updates import Captions

NODE = shutil.which("node")
pytestmark = pytest.mark.skipif(NODE is None, reason="no Node is installed")


def computed(code: str, given: Any = None) -> Any:
    """The value of an expression in which ``given`` and every export of the model are names."""
    modules = [json.dumps(path.as_uri()) for path in sorted((STATIC / "model").glob("*.js"))]
    script = f"""
        const all = await Promise.all([{", ".join(modules)}].map((each) => import(each)));
        const names = Object.assign({{}}, ...all);
        const given = JSON.parse(await new Response(process.stdin).text());
        const value = new Function('given', ...Object.keys(names), 'return ' + process.argv[1]);
        console.log(JSON.stringify(value(given, ...Object.values(names))));
    """
    ran = subprocess.run(
        [NODE, "--input-type=module", "--eval", script, code],
        input=json.dumps(given), capture_output=True, text=True, encoding="utf-8", timeout=120, check=False,
    )  # fmt: skip
    assert not ran.returncode, ran.stderr
    return json.loads(ran.stdout)


@pytest.mark.parametrize("shape", [(14, 14), (14, 9), (3, 2)])
def test_the_smooth_field_is_scikit_images(shape):
    alpha = np.random.default_rng(0).random(shape).astype(np.float32)
    sizes = ", ".join(map(str, shape))
    tall, wide = (f"expandMatrix({size}, UPSCALE)" for size in shape)
    field = computed(f"Array.from(expand(given, {sizes}, {tall}, {wide}))", alpha.ravel().tolist())
    expected = pyramid_expand(alpha, upscale=8, sigma=8 / 3, preserve_range=True)
    np.testing.assert_allclose(np.array(field).reshape(expected.shape), expected, atol=2e-5)


def test_the_field_of_cells_repeats_each_of_them():
    alpha = np.random.default_rng(1).random((3, 2)).astype(np.float32)
    field = computed(
        "Array.from(expand(given, 3, 2, nearestMatrix(3, 8), nearestMatrix(2, 8)))", alpha.ravel().tolist()
    )
    np.testing.assert_allclose(np.array(field).reshape(24, 16), np.kron(alpha, np.ones((8, 8))), rtol=1e-6)


def test_a_message_is_unfolded_as_python_reads_it():
    captions = (make_caption(("a", "dog", "<end>")), make_caption(("한국어", "<b>", "a", "<end>"), finished=False))
    message = WordPool().fold(guess_message(Guess(captions, True, None), (3, 2)))
    read = computed("unfold([given])", message)
    sent = {"text": "w", "end": "end", "chance": "p", "map": "a", "peak": "m", "entropy": "h", "gate": "b"}
    sent["alternatives"] = "alt"
    expected = json.loads(json.dumps(unfold(message)))
    for got, whole in zip([read, *read["captions"]], [expected, *expected["captions"]], strict=True):
        for word, its in zip(got["words"], whole["words"], strict=True):
            assert {name: word[name] for name in sent} == {name: its[short] for name, short in sent.items()}
    assert [each["log_prob"] for each in read["captions"]] == [each["log_prob"] for each in expected["captions"]]
    assert read["tree"] == {"branches": [], "race": []}


def test_a_map_survives_the_way_to_the_page():
    caption = make_caption(("a", "dog", "<end>"))
    message = WordPool().fold(guess_message(Guess((caption,), True, None), (3, 2)))
    maps = computed("unfold([given]).words.map((word) => Array.from(word.alpha))", message)
    for got, alpha in zip(maps, caption.alphas, strict=True):
        np.testing.assert_allclose(got, alpha.ravel(), atol=alpha.max() / 255)


SENT: list[dict[str, Any]] = [
    {"kind": "word", "word": "dog"},
    {"kind": "word", "word": "runs"},
    {"kind": "word", "position": 2, "word": "dog"},
    {"kind": "place", "region": [0, 0, 1, 0]},
    {"kind": "place", "region": [0, 0, 1, 1]},
    {"kind": "hide", "region": [0, 0, 1, 0]},
    {"kind": "hide", "region": [2, 2, 2, 2]},
    {"kind": "uniform"},
    {"kind": "own", "sentence": "a dog"},
    {"kind": "own", "sentence": "한국어 “dog”"},
    {"kind": "settings", "settings": [2, 0.7, 5]},
    {"kind": "settings", "settings": [2, 0, 5]},
    {"kind": "branch", "words": ["dog", "runs"]},
    {"kind": "branch", "words": ["dog"]},
]


def test_browser_and_server_agree_on_what_was_asked_before(tmp_path):
    """Every question at every caption of a page, kept or not: both find the same answer, or both none."""
    tabs = Tabs(Engine(Captioner(make_checkpoint()), tmp_path))
    list(tabs.show("tab", gradient(), replace(GREEDY, beam_size=2)))
    whole = {"index": 0, "position": 1, "keep": False}
    for sent in (SENT[0], SENT[5], SENT[3], SENT[7], SENT[8], SENT[10], SENT[12]):
        list(tabs.ask("tab", question({**whole, **sent}, (3, 3))))
    word = next(at for at, each in enumerate(tabs.result("tab").found) if each.origin == "word")
    list(tabs.ask("tab", NoAttention(index=word, keep=True)))
    result = tabs.result("tab")
    asked = [
        {**whole, **sent, "index": index, "keep": keep}
        for sent in SENT
        for index in range(len(result.found))
        for keep in (False, True)
    ]
    questions = [question(each, (3, 3)) for each in asked]
    expected = [result.answer(each.asked, each.about(result.found[each.index], result.found[0])) for each in questions]
    (message,) = folded([Captions(result, 0)])
    given = {"message": json.loads(json.dumps(message)), "asked": asked}
    found = computed("given.asked.map((each) => answerThere(unfold([given.message]), each))", given)
    assert found == expected
    assert set(expected) == {-1, *range(2, len(result.found))}, "each of the answers is found by some question"
    starts = computed("given.asked.map(startOf)", given)
    assert starts == [each.start for each in questions]
