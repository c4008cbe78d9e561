"""Photos and annotations are bounded in bytes: the photos asked about last keep theirs, the others come back alike."""

import gc
import os
import sys
import threading

import numpy as np
import pytest

from captioner.photo import prepare
from captioner.search import SearchSettings
from demo.runs import kept
from demo.runs.engine import Engine
from demo.runs.kept import BudgetError, KeptPhotos, available, budget, size_of
from demo.runs.questions import Hide
from demo.runs.tabs import Tabs
from demo.runs.updates import PutAway, Shown


@pytest.fixture
def shown(captioner, tmp_path):
    def make(number):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 60, 3), np.uint8)
        return Shown(prepare(pixels, captioner.card.photo), (3, 3), away=PutAway(tmp_path, captioner.card.photo))

    return make


def counted(captioner, photos):
    """Room for so many photos with their looks, and the pixels that were encoded, in order."""
    encoded = []

    def encode(photo):
        encoded.append(photo.view.tobytes())
        return captioner.look(photo)

    blank = captioner.look(prepare(np.zeros((40, 60, 3), np.uint8), captioner.card.photo))
    one = size_of(None, blank) + 3 * 64 * 64 * 4
    return KeptPhotos(encode, int(one * (photos + 0.5))), encoded


def test_bytes_are_those_of_all_arrays(captioner):
    photo = prepare(np.zeros((40, 60, 3), np.uint8), captioner.card.photo)
    look = captioner.look(photo)
    arrays = [np.asarray(photo.view), photo.tensor.numpy(), *map(np.asarray, look.annotations), *look.folded]
    assert size_of(photo, look) == sum(np.asarray(each).nbytes for each in arrays)
    assert size_of(photo, None) == 40 * 60 * 3 + 3 * 64 * 64 * 4


def test_only_the_photos_asked_about_last_are_kept(captioner, shown):
    photos, encoded = counted(captioner, 2)
    first, second, third = map(shown, range(3))
    pixels = [each.photo.view.tobytes() for each in (first, second, third)]
    for each in (first, second, first, third):
        photos.look(each)
    assert encoded == pixels
    assert [each in photos for each in (first, second, third)] == [True, False, True]
    assert [each.in_memory is not None for each in (first, second, third)] == [True, False, True]
    assert photos.bytes <= photos.limit


def test_the_photo_asked_about_last_is_kept_however_large_it_is(captioner, shown):
    photos = KeptPhotos(captioner.look, 1)
    first, second = shown(0), shown(1)
    for each in (first, second):
        photos.look(each)
        assert each in photos
        assert each.in_memory is not None
    assert first not in photos
    assert first.in_memory is None


def test_a_photo_that_was_put_away_comes_back_the_same(captioner, shown):
    photos, encoded = counted(captioner, 1)
    first, second = shown(0), shown(1)
    pixels, tensor = first.photo.view.tobytes(), first.photo.tensor
    before = photos.look(first)
    photos.look(second)
    assert first.in_memory is None
    after = photos.look(first)
    assert after is not before
    assert encoded == [pixels, second.photo.view.tobytes(), pixels]
    assert first.photo.tensor.equal(tensor)
    assert captioner.caption(after).alphas.tobytes() == captioner.caption(before).alphas.tobytes()


def test_what_was_put_away_goes_with_its_photo(captioner, shown, tmp_path):
    first = shown(0)
    first.put_away()
    assert len(list(tmp_path.glob("*.png"))) == 1
    del first
    gc.collect()
    assert not list(tmp_path.glob("*.png"))


def test_a_file_that_went_before_its_photo_is_nobodys_trouble(shown, tmp_path, monkeypatch):
    """The folder for temporary files is emptied while photos are still known."""
    troubles = []
    monkeypatch.setattr(sys, "unraisablehook", troubles.append)
    first = shown(0)
    first.put_away()
    for file in tmp_path.glob("*.png"):
        file.unlink()
    del first
    gc.collect()
    assert troubles == []


def test_a_forgotten_photo_makes_room(captioner, shown):
    photos, _ = counted(captioner, 2)
    stays, forgotten, new = map(shown, range(3))
    photos.look(stays)
    photos.look(forgotten)
    del forgotten
    gc.collect()
    photos.look(new)
    assert stays in photos


def test_many_threads_always_get_the_look_of_their_photo(captioner, shown):
    photos, _ = counted(captioner, 1)
    asked, wrong = [shown(number) for number in range(4)], []
    pixels = {each: each.photo.view.tobytes() for each in asked}

    def ask(each):
        for _ in range(20):
            if photos.look(each).view.tobytes() != pixels[each]:
                wrong.append(each)

    threads = [threading.Thread(target=ask, args=(each,)) for each in asked]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert photos.bytes <= photos.limit


@pytest.mark.slow
def test_64_tabs_that_all_hide_things_stay_within_the_budget(captioner, tmp_path):
    """And each is answered as if it were alone."""
    limit = 400_000
    tabs, alone = (Tabs(Engine(captioner, tmp_path / name, limit=size)) for name, size in (("a", limit), ("b", 10**9)))
    settings, most = SearchSettings(2, max_length=6), 0
    mask = np.zeros((3, 3), np.float32)
    mask[1, 1] = 1
    for number in range(64):
        pixels = np.random.default_rng(number).integers(0, 256, (40, 60, 3), np.uint8)
        for each in (tabs, alone):
            list(each.show(str(number), pixels, settings))
    for number in range(64):
        for each in (tabs, alone):
            list(each.ask(str(number), Hide(index=0, mask=mask)))
        most = max(most, tabs.engine.kept.bytes)
    assert most <= limit < alone.engine.kept.bytes
    for number in range(64):
        found, expected = tabs.result(str(number)).found, alone.result(str(number)).found
        assert [each.caption.words for each in found] == [each.caption.words for each in expected]
        assert found[-1].origin == "hide"


def test_the_budget_is_the_environments_or_a_share_of_memory(monkeypatch):
    assert budget({"CAPTIONER_KEPT_MB": "100"}) == 100 * 2**20
    for said in ("0", "-1", "many", "1.5"):
        with pytest.raises(BudgetError, match="CAPTIONER_KEPT_MB must be a whole number"):
            budget({"CAPTIONER_KEPT_MB": said})
    for memory, expected in ((2**30, 32), (8 * 2**30 + 100, 64), (64 * 2**30, 64)):
        monkeypatch.setattr(kept, "available", lambda memory=memory: memory)
        assert budget({}) == expected * 2**20


def test_a_container_may_have_less_than_the_machine(tmp_path):
    machine = available(())
    (tmp_path / "limit").write_text("1000000\n")
    (tmp_path / "none").write_text("max\n")
    assert available((str(tmp_path / "limit"),)) == 1_000_000
    assert available((str(tmp_path / "none"), str(tmp_path / "absent"))) == machine


def test_a_machine_that_does_not_say_how_much_memory_it_has_keeps_the_most(monkeypatch):
    monkeypatch.delattr(os, "sysconf")
    assert available(()) == 8 * 2**30, "of which a 128th is 64 MB"
    monkeypatch.setattr(kept, "CGROUP_LIMITS", ())
    assert budget({}) == 64 * 2**20
