"""The checkpoint reader under fire: damaged anywhere, its hashes made to fit, it refuses or loads; nothing else.

``FUZZ_ROUNDS=100 python -m pytest tests/test_checkpoint_fuzz.py`` tries a hundred values a place in place of one,
and other storage forms too.
"""

import hashlib
import json
import os
import pickle
import random
import resource
from dataclasses import replace

import pytest
import torch
from tiny import make_checkpoint

from captioner import checkpoint as reader
from captioner.checkpoint import Checkpoint, CheckpointError, load_checkpoint, save_checkpoint

pytestmark = pytest.mark.slow

ROUNDS = int(os.environ.get("FUZZ_ROUNDS", "1"))
CARD, VOCABULARY, MODEL = "card.json", "vocabulary.json", "model.safetensors"
MEMORY = 400_000  # kilobytes that all this may add to the process: each load is of a few


@pytest.fixture(scope="module", params=["int8"] if ROUNDS == 1 else ["int8", "float16", "float32"])
def fuzzed(request, tmp_path_factory):
    """A checkpoint of a few kilobytes, its encoder torchvision's own; and what it is."""
    folder = tmp_path_factory.mktemp("fuzzed")
    original = make_checkpoint(request.param)
    card = replace(original.card, encoder_weights="IMAGENET1K_V2")
    trunk = {f"encoder.trunk.{name}": value for name, value in original.encoder.trunk.state_dict().items()}
    save_checkpoint(folder, Checkpoint(original.encoder, original.decoder, original.vocabulary, card))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(reader, "_torchvision_encoder", lambda *_: dict(trunk))
        for module, name in ((pickle, "Unpickler"), (pickle, "loads"), (pickle, "load"), (torch, "load")):
            patch.setattr(module, name, lambda *_, **__: pytest.fail("something was unpickled"))
        yield folder, load_checkpoint(folder)


@pytest.fixture
def damage(fuzzed):
    """Write other bytes in the place of a file's, load, and put the file back; the loaded model, or None if refused."""
    folder, _ = fuzzed
    kept = {name: (folder / name).read_bytes() for name in (CARD, VOCABULARY, MODEL)}
    begun = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    def damage(name, content, forged):
        (folder / name).write_bytes(content)
        if forged:
            card = json.loads(kept[CARD])
            card["sha256"][name] = hashlib.sha256(content).hexdigest()
            (folder / CARD).write_text(json.dumps(card), encoding="utf-8")
        try:
            loaded = load_checkpoint(folder)
        except CheckpointError as error:
            message = str(error)
            loaded = None
            assert message.startswith(str(folder))
            assert "\n" not in message
        finally:
            for each in {name, CARD}:
                (folder / each).write_bytes(kept[each])
        return loaded

    yield damage
    load_checkpoint(folder)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - begun < MEMORY


def decoder_state(checkpoint):
    return checkpoint.decoder.state_dict()


def assert_same(loaded, original):
    assert loaded.vocabulary.word_map == original.vocabulary.word_map
    for name, value in decoder_state(original).items():
        assert torch.equal(decoder_state(loaded)[name], value), name


def assert_whole(loaded, original):
    """Other numbers perhaps, as the forged hash says they are meant; but the model of the card, and finite."""
    for name, value in decoder_state(original).items():
        other = decoder_state(loaded)[name]
        assert (other.shape, other.dtype) == (value.shape, value.dtype), name
        assert other.isfinite().all(), name


def header_size(content):
    return 8 + int.from_bytes(content[:8], "little")


def flips(content, places):
    """The content with one byte changed, for each place in turn; as many other values as there are rounds."""
    chance = random.Random(0)
    for place in places:
        for value in chance.sample([each for each in range(256) if each != content[place]], min(ROUNDS, 255)):
            yield content[:place] + bytes([value]) + content[place + 1 :]


def test_every_byte_of_the_card(fuzzed, damage):
    """A card may be edited: what loads has the same words and weights."""
    folder, original = fuzzed
    content = (folder / CARD).read_bytes()
    refused = 0
    for changed in flips(content, range(len(content))):
        loaded = damage(CARD, changed, forged=False)
        refused += loaded is None
        if loaded:
            assert_same(loaded, original)
    assert refused > len(content) / 2


def test_every_byte_of_the_header(fuzzed, damage):
    folder, original = fuzzed
    content = (folder / MODEL).read_bytes()
    refused = 0
    for changed in flips(content, range(header_size(content))):
        loaded = damage(MODEL, changed, forged=True)
        refused += loaded is None
        if loaded:
            assert_whole(loaded, original)
    assert refused > header_size(content) / 2


def test_bytes_of_the_weights(fuzzed, damage):
    folder, original = fuzzed
    content = (folder / MODEL).read_bytes()
    places = random.Random(1).sample(range(header_size(content), len(content)), 150)
    for changed in flips(content, places):
        assert damage(MODEL, changed, forged=False) is None, "the hash tells"
        if loaded := damage(MODEL, changed, forged=True):
            assert_whole(loaded, original)


def test_every_byte_of_the_words(fuzzed, damage):
    folder, original = fuzzed
    content = (folder / VOCABULARY).read_bytes()
    for changed in flips(content, range(len(content))):
        assert damage(VOCABULARY, changed, forged=False) is None
        if loaded := damage(VOCABULARY, changed, forged=True):
            assert sorted(loaded.vocabulary.word_map.values()) == list(range(len(original.vocabulary)))


@pytest.mark.parametrize("name", [CARD, VOCABULARY, MODEL])
def test_truncations_and_what_is_put_in_or_taken_out(fuzzed, damage, name):
    folder, original = fuzzed
    content = (folder / name).read_bytes()
    chance = random.Random(2)
    stops = chance.sample(range(len(content)), min(100 * ROUNDS, len(content)))
    for stop in stops:
        assert damage(name, content[:stop], forged=name != CARD) is None or content[stop:].isspace()
        start, size = chance.randrange(len(content)), chance.randrange(1, 40)
        for changed in (
            content[:start] + chance.randbytes(size) + content[start:],
            content[:start] + content[start + size :],
            content[:start] + content[stop : stop + size] + content[start:],
        ):
            if loaded := damage(name, changed, forged=name != CARD):
                assert_whole(loaded, original)


HUGE = [2**31, 2**53, 2**63, 2**64, 10**400, -1, 1.5, None, "F32", [], [2**62, 2**62], [0], {}, [[1, 7]]]


def test_a_header_of_any_claims(fuzzed, damage):
    """Sizes and types that are not so, in every field of every tensor: nothing is allocated for them."""
    folder, original = fuzzed
    content = (folder / MODEL).read_bytes()
    header = json.loads(content[8 : header_size(content)])
    for tensor in header:
        for name in header[tensor]:
            for claim in HUGE:
                wrong = json.dumps({**header, tensor: {**header[tensor], name: claim}}).encode()
                changed = len(wrong).to_bytes(8, "little") + wrong + content[header_size(content) :]
                if loaded := damage(MODEL, changed, forged=True):
                    assert_whole(loaded, original)
