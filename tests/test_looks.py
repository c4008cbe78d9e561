"""Annotations are bounded in number: the photos asked about last keep theirs."""

import gc
import threading
from pathlib import Path

import numpy as np
import pytest
from tiny import make_checkpoint

from captioner.photo import prepare
from captioner.pipeline import Captioner
from demo.looks import Looks
from demo.sessions import Shown


@pytest.fixture(scope="module")
def captioner():
    return Captioner(make_checkpoint())


def shown(captioner, number):
    pixels = np.random.default_rng(number).integers(0, 256, (40, 60, 3), np.uint8)
    return Shown(prepare(pixels, captioner.card.photo), Path())


def counted(captioner, limit):
    """Looks, and the photos that were encoded for them, in order."""
    encoded = []

    def encode(photo):
        encoded.append(photo)
        return captioner.look(photo)

    return Looks(encode, limit), encoded


def test_only_the_photos_asked_about_last_keep_their_annotations(captioner):
    looks, encoded = counted(captioner, 2)
    first, second, third = (shown(captioner, number) for number in range(3))
    for each in (first, second, first, third):
        looks.of(each)
    assert encoded == [first.photo, second.photo, third.photo]
    assert second.look is None
    assert first.look is not None
    assert third.look is not None


def test_a_photo_that_was_dropped_is_looked_at_again_and_looks_the_same(captioner):
    looks, encoded = counted(captioner, 1)
    first, second = shown(captioner, 0), shown(captioner, 1)
    before = looks.of(first)
    looks.of(second)
    after = looks.of(first)
    assert after is not before
    assert encoded == [first.photo, second.photo, first.photo]
    assert captioner.caption(after).alphas.tobytes() == captioner.caption(before).alphas.tobytes()


def test_a_forgotten_photo_makes_room(captioner):
    looks, _ = counted(captioner, 2)
    kept, forgotten, new = (shown(captioner, number) for number in range(3))
    looks.of(kept)
    looks.of(forgotten)
    del forgotten
    gc.collect()
    looks.of(new)
    assert kept.look is not None


def test_many_threads_always_get_the_look_of_their_photo(captioner):
    looks, _ = counted(captioner, 1)
    photos, wrong = [shown(captioner, number) for number in range(4)], []

    def ask(each):
        for _ in range(20):
            if looks.of(each).view is not each.photo.view:
                wrong.append(each)

    threads = [threading.Thread(target=ask, args=(each,)) for each in photos]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert sum(each.look is not None for each in photos) <= 1
