"""What holds for everything that may come: photos, words, cards, payloads, searches. Drawn by hypothesis."""

import io
import json
import math
import tempfile
import unicodedata
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from pages import unfold
from PIL import Image
from test_search import WORDS, enumerate_captions, finished_only
from tiny import make_annotations, make_checkpoint, make_decoder

from captioner.caption import Alternative, Caption
from captioner.card import SCHEMA, Card, CheckpointError, read_card
from captioner.decoder import Decoder
from captioner.hypotheses import rank
from captioner.photo import MAX_ASPECT, MIN_SIDE, PhotoError, PhotoFormat, prepare
from captioner.pipeline import Guess
from captioner.search import SearchSettings, search
from captioner.settings import MAX_BEAM_SIZE
from captioner.vocabulary import SPECIALS, Vocabulary, VocabularyError, tokenize
from demo.protocol.answers import caption_answer
from demo.protocol.payload import WordPool, guess_message


def quick(examples):
    return settings(max_examples=examples, deadline=None, suppress_health_check=list(HealthCheck), database=None)


# --- photos -----------------------------------------------------------------------------------------------------

FORMAT = PhotoFormat(16)
DTYPES = st.sampled_from([np.uint8, np.uint8, np.uint8, np.int8, np.uint16, np.float32, np.float64, bool, np.complex64])
SIDES = st.integers(0, 40)


def captionable(width, height):
    return min(width, height) >= MIN_SIDE and max(width, height) <= MAX_ASPECT * min(width, height)


@quick(80)
@given(DTYPES.flatmap(lambda dtype: arrays.arrays(dtype, st.lists(SIDES, max_size=4).map(tuple))))
def test_any_array_is_a_photo_or_refused(array):
    shaped = array.ndim == 2 or (array.ndim == 3 and array.shape[2] in (3, 4))
    if shaped and array.dtype == np.uint8 and captionable(*array.shape[1::-1]):
        photo = prepare(array, FORMAT)
        assert photo.tensor.shape == (3, 16, 16)
        assert photo.tensor.isfinite().all()
        assert photo.view.size == array.shape[1::-1]
    else:
        with pytest.raises(PhotoError):
            prepare(array, FORMAT)


MODES = [
    "1",
    "L",
    "LA",
    "La",
    "P",
    "PA",
    "RGB",
    "RGBA",
    "RGBa",
    "RGBX",
    "CMYK",
    "YCbCr",
    "HSV",
    "LAB",
    "I",
    "F",
    "I;16",
]


@quick(120)
@given(st.sampled_from(MODES), st.integers(1, 60), st.integers(1, 60), st.integers(0, 9), st.integers(0, 255))
def test_any_mode_size_and_turn_is_a_photo_or_refused(mode, width, height, orientation, level):
    image = Image.new(mode, (width, height), level if mode in ("1", "L", "P", "I", "F", "I;16") else None)
    image.getexif()[0x0112] = orientation
    if not captionable(width, height):
        with pytest.raises(PhotoError):
            prepare(image, FORMAT)
        return
    photo = prepare(image, FORMAT)
    assert photo.tensor.shape == (3, 16, 16)
    assert photo.tensor.isfinite().all()
    assert photo.view.mode == "RGB"
    assert photo.view.size == ((height, width) if orientation in (5, 6, 7, 8) else (width, height))


@quick(60)
@given(st.sampled_from(["JPEG", "PNG", "WEBP", "TIFF"]), st.integers(16, 40), st.integers(16, 40), st.integers(0, 9))
def test_a_stored_photo_is_as_large_as_it_hangs(file_format, width, height, orientation):
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(buffer, file_format, exif=exif)
    photo = prepare(buffer.getvalue(), FORMAT)
    assert photo.view.size == ((height, width) if orientation in (5, 6, 7, 8) else (width, height))


# --- words ------------------------------------------------------------------------------------------------------

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
ANY_TEXT = st.text(st.characters(exclude_categories=[]), max_size=12)  # lone surrogates too


@quick(100)
@given(st.lists(TEXT, unique=True, max_size=8), st.data())
def test_words_come_back_from_their_ids(words, data):
    vocabulary = Vocabulary.build([words])
    known = [word for word in words if word not in SPECIALS]
    tokens = data.draw(st.lists(st.sampled_from(known), max_size=6)) if known else []
    ids = vocabulary.encode(tokens)
    assert vocabulary.decode(ids) == tokens
    assert vocabulary.decode([*ids, *ids]) == tokens
    assert all(0 <= index < len(vocabulary) for index in ids)
    again = Vocabulary(json.loads(json.dumps(vocabulary.word_map)))
    assert [again.word(index) for index in ids[1:-1]] == tokens


@quick(100)
@given(st.lists(ANY_TEXT, max_size=6))
def test_any_token_has_an_id(tokens):
    vocabulary = Vocabulary.build([["a", "dog", "é"]])
    ids = vocabulary.encode(tokens)
    assert len(ids) == len(tokens) + 2
    composed = {unicodedata.normalize("NFC", word): word for word in vocabulary.word_map}
    assert [vocabulary.word(index) for index in ids[1:-1]] == [composed.get(token, "<unk>") for token in tokens]


@quick(100)
@given(ANY_TEXT)
def test_any_sentence_is_words_that_can_be_shown(sentence):
    for token in tokenize(sentence):
        assert token.encode("utf-8")
        assert len(token.split()) == 1


@quick(100)
@given(
    st.dictionaries(ANY_TEXT | st.sampled_from(SPECIALS), st.integers(-1, 9) | st.booleans() | st.none(), max_size=9)
)
def test_any_word_map_is_a_vocabulary_or_refused(word_map):
    try:
        vocabulary = Vocabulary(word_map)
    except VocabularyError:
        return
    assert sorted(word_map.values()) == list(range(len(vocabulary)))
    assert set(SPECIALS) <= set(word_map)


# --- cards ------------------------------------------------------------------------------------------------------

NUMBERS = st.integers() | st.floats() | st.sampled_from([0, 1, 3, 14, 2048, 10**400, -1, 1e308])
JSON = st.recursive(
    st.none() | st.booleans() | NUMBERS | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY_TEXT, inner, max_size=3),
    max_leaves=6,
)
PLAIN_JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats(allow_nan=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
CARD = make_checkpoint().card


FOLDER = tempfile.TemporaryDirectory(prefix="show-attend-tell-cards-")  # of this run alone


def stored(content):
    """The path of a card that holds these bytes."""
    path = Path(FOLDER.name) / "card.json"
    path.write_bytes(content)
    return path


@quick(80)
@given(
    st.builds(
        Card,
        name=TEXT,
        encoder=st.just(CARD.encoder) | st.builds(replace, st.just(CARD.encoder), grid=st.integers(1, 64)),
        decoder=st.builds(replace, st.just(CARD.decoder), hidden_size=st.integers(1, 10**6)),
        photo=st.builds(replace, st.just(CARD.photo), size=st.integers(1, 2048)),
        storage=st.sampled_from(["float32", "float16", "int8"]),
        length_penalty=st.floats(0, 5),
        beam_size=st.integers(1, MAX_BEAM_SIZE),
        licence=TEXT,
        sha256=st.dictionaries(TEXT, TEXT, max_size=2),
        training=st.dictionaries(TEXT, PLAIN_JSON, max_size=2),
        scores=st.dictionaries(TEXT, PLAIN_JSON, max_size=2),
        limits=TEXT,
    )
)
def test_a_card_comes_back_as_it_was_written(card):
    path = stored(b"")
    card.write(path)
    assert read_card(path) == card


def read_or_refused(content):
    path = stored(content)
    refusal = ""
    try:
        assert isinstance(read_card(path), Card)
    except CheckpointError as error:
        refusal = str(error)
    assert not refusal or refusal.startswith(f"{path}: ")
    assert "\n" not in refusal


@quick(100)
@given(JSON)
def test_any_json_is_a_card_or_refused(content):
    read_or_refused(json.dumps(content).encode())


@quick(200)
@given(st.data())
def test_a_card_with_anything_in_any_place_is_a_card_or_refused(data):
    content = {"schema": SCHEMA, **json.loads(json.dumps(asdict(CARD)))}
    place = content
    while True:
        key = data.draw(st.sampled_from(sorted(place) if isinstance(place, dict) else range(len(place))))
        if not isinstance(place[key], dict | list) or not place[key] or data.draw(st.booleans()):
            break
        place = place[key]
    place[key] = data.draw(JSON)
    read_or_refused(json.dumps(content).encode())


# --- what travels -----------------------------------------------------------------------------------------------

CHANCES = st.floats(0, 1, width=32)


@st.composite
def captions(draw, grid=(3, 2)):
    words = draw(st.lists(TEXT | st.just("<end>"), max_size=4))
    alphas = draw(arrays.arrays(np.float32, (len(words), *grid), elements=CHANCES))
    alternatives = [tuple(draw(st.lists(st.builds(Alternative, TEXT, CHANCES), max_size=3))) for _ in words]
    log_probs = draw(arrays.arrays(np.float32, len(words), elements=st.floats(-1e6, 0, width=32)))
    betas = draw(arrays.arrays(np.float32, len(words), elements=CHANCES))
    return Caption(tuple(words), log_probs, alphas, betas, tuple(alternatives), draw(st.booleans()))


@quick(80)
@given(st.lists(st.lists(captions(), min_size=1, max_size=3), min_size=1, max_size=3))
def test_all_that_travels_is_unfolded_as_it_was(guesses):
    pool = WordPool()
    for number, found in enumerate(guesses, 1):
        payload = guess_message(Guess(tuple(found), done=number == len(guesses)), (3, 2))
        message = json.loads(json.dumps(pool.fold(payload), allow_nan=False))
        assert unfold(message) == {key: payload[key] for key in ("words", "captions")}


@quick(60)
@given(captions(), st.booleans())
def test_the_answer_for_programs_is_finite_json(caption, done):
    answer = json.loads(json.dumps(caption_answer(caption, done), allow_nan=False))
    assert [word["word"] for word in answer["words"]] == list(caption.words)
    assert answer["done"] == done


# --- search -----------------------------------------------------------------------------------------------------

DECODERS = [make_decoder(len(WORDS), seed) for seed in range(4)]
ANNOTATIONS = [make_annotations(decoder, seed=seed) for seed, decoder in enumerate(DECODERS)]
EXHAUSTIVE = [enumerate_captions(*each, WORDS) for each in zip(DECODERS, ANNOTATIONS, strict=True)]
LEGAL = st.builds(
    SearchSettings,
    beam_size=st.integers(1, MAX_BEAM_SIZE),
    temperature=st.just(0.0) | st.floats(0, 10),
    seed=st.integers(0, 2**32 - 1),
    max_length=st.integers(1, 5),
    length_penalty=st.floats(0, 5),
)


@torch.no_grad()
def stepwise(decoder: Decoder, annotations, tokens):
    """The log-probability of these words, one plain step at a time."""
    state, previous, total = decoder.start(annotations), WORDS.start, 0.0
    for token in tokens:
        step = decoder.step(annotations, state, torch.tensor([previous]))
        total += float(step.logits[0].double().log_softmax(dim=0)[token])
        state, previous = step.state, token
    return total


@quick(60)
@given(st.integers(0, len(DECODERS) - 1), LEGAL)
def test_any_legal_search_ends_with_captions_that_add_up(model, legal):
    decoder, annotations = DECODERS[model], ANNOTATIONS[model]
    snapshots = list(search(decoder, annotations, WORDS, legal))
    assert 1 <= len(snapshots) <= legal.max_length
    assert [snapshot.done for (snapshot,) in snapshots] == [False] * (len(snapshots) - 1) + [True]
    found = snapshots[-1][0].hypotheses
    assert 1 <= len(found) <= legal.beam_size
    assert len({each.tokens for each in found}) == len(found)
    order = [rank(each.log_prob, len(each.tokens), legal.length_penalty) for each in found]
    assert order == sorted(order, reverse=True)
    for each in found:
        assert not set(each.tokens) & set(WORDS.never_written)
        assert each.finished == (each.tokens[-1] == WORDS.end)
        assert WORDS.end not in each.tokens[:-1]
        assert each.log_prob == pytest.approx(math.fsum(step.log_prob for step in each.steps), abs=1e-6)
        assert each.log_prob == pytest.approx(stepwise(decoder, annotations, each.tokens), abs=1e-3)
        for step in each.steps:
            assert step.alpha.sum() == pytest.approx(1, abs=1e-5)
            assert step.alpha.min() >= 0


@quick(30)
@given(st.integers(0, len(DECODERS) - 1), st.floats(0, 5), st.integers(1, MAX_BEAM_SIZE))
def test_the_widest_beam_finds_the_best_of_all(model, length_penalty, beam_size):
    """And a narrower one nothing better."""
    finished = finished_only(EXHAUSTIVE[model])
    assume(finished)
    best = max(log_prob / len(tokens) ** length_penalty for tokens, (log_prob, _) in finished.items())
    for size in (MAX_BEAM_SIZE, beam_size):
        legal = SearchSettings(size, max_length=3, length_penalty=length_penalty)
        *_, (last,) = search(DECODERS[model], ANNOTATIONS[model], WORDS, legal)
        reached = rank(last.leader.log_prob, len(last.leader.tokens), length_penalty)
        if size == MAX_BEAM_SIZE:
            assert reached == pytest.approx(best, abs=1e-5)
        elif last.leader.finished:
            assert reached <= best + 1e-5
