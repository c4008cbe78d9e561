"""A camera's captions stay while the picture does, and go when it does."""

import io
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import numpy as np
import pytest
from PIL import Image
from tiny import make_checkpoint

from captioner.caption import END, Caption
from captioner.pipeline import DEFAULT_CHECKPOINT, Captioner
from captioner.search import SearchSettings
from captioner.settings import SettingsError
from demo.page.examples import example
from demo.runs import live as live_module
from demo.runs.engine import Engine
from demo.runs.live import MARGIN, Live, steady_caption
from demo.runs.waiting_line import PLACES

SETTINGS = SearchSettings(3, max_length=8)


@pytest.fixture(scope="module")
def captioner():
    return Captioner(make_checkpoint(sharpness=3))


def scene(seed):
    """A picture of a few large patches of colour, so that JPEG changes little of it."""
    patches = np.random.default_rng(seed).integers(0, 256, (4, 5, 3), dtype=np.uint8)
    return Image.fromarray(patches).resize((320, 240), Image.Resampling.BICUBIC)


def frame(seed, quality):
    buffer = io.BytesIO()
    scene(seed).save(buffer, "JPEG", quality=quality)
    return buffer.getvalue()


def ended(captioner, look):
    """The frame's own caption, with its end where the length limit cut it off."""
    own = captioner.caption(look, SETTINGS)
    return own if own.finished else captioner.score(look, own.words)


def test_the_first_frame_gets_its_own_caption(captioner):
    look = captioner.look(frame(0, 80))
    shown = steady_caption(captioner, look, SETTINGS)
    assert shown.caption.words == ended(captioner, look).words
    assert (shown.changed, shown.gain) == (True, 0.0)


def shown_over(captioner, looks, margin=MARGIN):
    """What stands over each frame of a camera, as its page has it: it says which words stood there before."""
    standing, shown = (), []
    for look in looks:
        shown.append(steady_caption(captioner, look, SETTINGS, standing, margin))
        standing = shown[-1].caption.words
    return shown


class Table:
    """A model of three captions whose log-probability on every frame stands in a table of nats a word."""

    def __init__(self, table):
        self.table = table
        self.sentences = [("one", END), ("two", "two", END), ("three", "or", "more", END)]

    def said(self, frame, index):
        words = self.sentences[index]
        log_probs = np.full(len(words), self.table[frame, index], dtype=np.float32)
        maps = np.full((len(words), 2, 2), 0.25, dtype=np.float32)
        return Caption(words, log_probs, maps, log_probs, ((),) * len(words), True)

    def caption(self, frame, settings):
        return self.said(frame, int(self.table[frame].argmax()))

    def score(self, frame, words):
        return self.said(frame, self.sentences.index(words))


def test_a_caption_changes_where_another_is_likelier_by_the_margin_and_nowhere_else():
    table = np.random.default_rng(0).uniform(-2, -1, (300, 3))
    changes = {}
    for margin in (0.0, 0.2, 0.7):
        standing, shown = None, shown_over(Table(table), range(300), margin)
        for frame, each in enumerate(shown):
            best = int(table[frame].argmax())
            gain = 0.0 if standing is None else table[frame, best] - table[frame, standing]
            changed = standing is None or gain > margin
            standing = best if changed else standing
            assert (each.changed, each.caption.words) == (changed, Table(table).sentences[standing])
            assert each.gain == pytest.approx(gain, abs=1e-5)
        changes[margin] = sum(each.changed for each in shown)
    assert changes[0.0] > changes[0.2] > changes[0.7] > 1


def test_the_maps_are_those_of_the_frame_though_the_words_stay(captioner):
    look = captioner.look(frame(1, 80))
    first, second = (each.caption for each in shown_over(captioner, [captioner.look(frame(0, 80)), look], margin=1e9))
    assert first.words == second.words
    assert np.abs(first.alphas - second.alphas).max() > 1e-6
    np.testing.assert_array_equal(second.alphas, captioner.score(look, first.words).alphas)


@pytest.mark.parametrize("seed", range(3))
def test_a_still_saved_again_and_again_changes_its_caption_at_most_once(captioner, seed):
    qualities = np.random.default_rng(seed).integers(60, 91, 30)
    shown = shown_over(captioner, [captioner.look(frame(seed, int(quality))) for quality in qualities])
    assert sum(each.changed for each in shown[1:]) <= 1


def test_words_of_another_model_do_not_stay(captioner):
    look = captioner.look(frame(0, 80))
    shown = steady_caption(captioner, look, SETTINGS, ("nobody", "knows", "this", END))
    assert (shown.changed, shown.gain) == (True, 0.0)
    assert shown.caption.words == ended(captioner, look).words
    with pytest.raises(SettingsError):
        steady_caption(captioner, look, SETTINGS, (END, "after", "it"))


@pytest.fixture
def engine(captioner, tmp_path):
    return Engine(captioner, tmp_path)


def test_a_frame_is_captioned_and_nothing_of_it_is_kept(engine, captioner):
    answer = Live(engine).frame(frame(0, 80), SETTINGS)
    assert answer.shown.caption.words == ended(captioner, captioner.look(frame(0, 80))).words
    assert (answer.ahead, answer.seconds > 0) == (0, True)
    assert (len(engine.line), engine.kept.bytes) == (0, 0)
    assert not list(engine.folder.iterdir())


def test_a_frame_waits_behind_the_others_and_gives_its_place_back(engine, monkeypatch):
    monkeypatch.setattr(live_module, "PATIENCE_SECONDS", 0.01)
    live = Live(engine)
    with ExitStack() as others:
        for _ in range(PLACES - 1):
            others.enter_context(engine.line.stand())
        assert live.frame(frame(0, 80), SETTINGS).shown, "one place is free"
        for waiting in (1, 2):
            others.enter_context(engine.line.stand())
            answer = live.frame(frame(0, 80), SETTINGS)
            assert (answer.shown, answer.ahead, answer.seconds) == (None, waiting, 0.0)
        assert len(engine.line) == PLACES + 1, "the frames have left it"
    assert live.frame(frame(0, 80), SETTINGS).shown


def test_who_came_first_has_its_turn_first(engine):
    """A frame is at the end of the line: it is captioned only when the one before it has ended."""
    with ExitStack() as others, ThreadPoolExecutor(1) as camera:
        for _ in range(PLACES):
            others.enter_context(engine.line.stand())
        coming = camera.submit(Live(engine).frame, frame(0, 80), SETTINGS)
        while len(engine.line) <= PLACES and not coming.done():
            time.sleep(0.001)
        others.close()
        assert coming.result(60).shown


@pytest.mark.slow
@pytest.mark.skipif(not (DEFAULT_CHECKPOINT / "card.json").is_file(), reason="the bundled checkpoint is not here")
def test_a_still_that_is_encoded_anew_changes_its_caption_at_most_once():
    found = example("Photographer")
    assert found
    with Image.open(found.path) as image:
        still = image.convert("RGB")
    still.thumbnail((320, 320))
    looks, bundled = [], Captioner.load()
    for quality in (*range(60, 91, 3), *range(88, 60, -3)):
        buffer = io.BytesIO()
        still.save(buffer, "JPEG", quality=quality)
        looks.append(bundled.look(buffer.getvalue()))
    shown = shown_over(bundled, looks)
    assert sum(each.changed for each in shown[1:]) <= 1
