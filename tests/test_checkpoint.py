"""Checkpoints: a round trip, and every damage refused with its file, what was expected, what was found, a remedy."""

import hashlib
import json
import os
import pickle
import urllib.error
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny import make_checkpoint
from torchvision.models import ResNet101_Weights

from captioner.checkpoint import MAX_BYTES, Checkpoint, CheckpointError, load_checkpoint, save_checkpoint
from captioner.quantization import as_stored

CARD, VOCABULARY, MODEL = "card.json", "vocabulary.json", "model.safetensors"


def refusal(folder, name):
    """The message, after checking that it names the file, what was expected and found, and what to do."""
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(folder)
    message = str(caught.value)
    assert message.startswith(f"{folder / name if name else folder}: ")
    assert "\n" not in message
    remedies = ("restore", "download", "update", "check the path", "connect", "import it")
    assert any(remedy in message for remedy in remedies)
    return message


def edit_card(folder, **changes):
    path = folder / CARD
    path.write_text(json.dumps({**json.loads(path.read_text(encoding="utf-8")), **changes}), encoding="utf-8")


def forge(folder):
    """Make the card's hashes fit the files again, as an attacker or a careless editor would."""
    edit_card(
        folder, sha256={name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in (VOCABULARY, MODEL)}
    )


def weights(checkpoint):
    return {**checkpoint.encoder.state_dict(prefix="encoder."), **checkpoint.decoder.state_dict(prefix="decoder.")}


@torch.no_grad()
def outputs(checkpoint):
    """Everything the model computes on one photo and two words."""
    photos = torch.randn(1, 3, 64, 64, generator=torch.Generator().manual_seed(1))
    annotations = checkpoint.decoder.annotate(checkpoint.encoder(photos))
    step = checkpoint.decoder.step(annotations, checkpoint.decoder.start(annotations), torch.tensor([1]))
    return step.logits, step.alpha, step.beta


# --- round trips ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("storage", ["float32", "float16", "int8"])
def test_a_loaded_model_is_the_stored_one(tmp_path, storage):
    original = make_checkpoint(storage)
    written = save_checkpoint(tmp_path, original)
    loaded = load_checkpoint(tmp_path)
    assert loaded.card == written
    assert loaded.vocabulary.word_map == original.vocabulary.word_map
    expected = as_stored(weights(original), storage)
    for name, value in weights(loaded).items():
        assert torch.equal(value, expected[name]), name
        assert value.dtype == weights(original)[name].dtype
    assert not loaded.encoder.training
    assert not loaded.decoder.training
    assert all(parameter.requires_grad for parameter in loaded.decoder.parameters()), "it can be trained on"
    for one, other in zip(outputs(original), outputs(loaded), strict=True):
        if storage == "float32":
            assert torch.equal(one, other)
        torch.testing.assert_close(one, other, rtol=0.1, atol=0.02)


def test_int8_is_stored_once_and_for_all(tmp_path):
    """Saving what was loaded writes the same bytes; loading it again gives the same outputs."""
    save_checkpoint(tmp_path / "one", make_checkpoint("int8"))
    loaded = load_checkpoint(tmp_path / "one")
    save_checkpoint(tmp_path / "two", loaded)
    for name in (CARD, VOCABULARY, MODEL):
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()
    for one, other in zip(outputs(loaded), outputs(load_checkpoint(tmp_path / "two")), strict=True):
        assert torch.equal(one, other)


@pytest.mark.parametrize("form", [{"output": "plain"}, {"gate": "feature"}, {"activation": "relu"}])
def test_the_card_brings_the_forms_back(tmp_path, form):
    plain = make_checkpoint()
    decoder = type(plain.decoder)(replace(plain.decoder.config, **form)).eval()
    checkpoint = plain._replace(decoder=decoder)
    save_checkpoint(tmp_path, checkpoint)
    loaded = load_checkpoint(tmp_path)
    assert loaded.decoder.config == decoder.config
    for one, other in zip(outputs(checkpoint), outputs(loaded), strict=True):
        assert torch.equal(one, other)


def test_loading_leaves_the_random_generator_alone(checkpoint_folder):
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    load_checkpoint(checkpoint_folder)
    assert torch.equal(torch.rand(1), expected)


# --- missing and changed files ----------------------------------------------------------------------------------


@pytest.mark.parametrize("name", [CARD, VOCABULARY, MODEL])
def test_missing_files(checkpoint_folder, name):
    (checkpoint_folder / name).unlink()
    refusal(checkpoint_folder, name)


def test_missing_folder_and_a_file_in_its_place(tmp_path):
    refusal(tmp_path / "nowhere", "")
    (tmp_path / "file").write_bytes(b"x")
    refusal(tmp_path / "file", "")


@pytest.mark.parametrize("name", [CARD, VOCABULARY, MODEL])
def test_what_is_no_ordinary_file(checkpoint_folder, name):
    (checkpoint_folder / name).unlink()
    os.mkfifo(checkpoint_folder / name)
    assert "ordinary file" in refusal(checkpoint_folder, name), "and nobody waits for its other end"
    (checkpoint_folder / name).unlink()
    (checkpoint_folder / name).symlink_to("/dev/zero")
    assert "ordinary file" in refusal(checkpoint_folder, name)


@pytest.mark.parametrize("name", [VOCABULARY, MODEL])
def test_a_huge_file_is_not_read(checkpoint_folder, name):
    with (checkpoint_folder / name).open("ab") as file:
        file.truncate(MAX_BYTES[name] + 1)  # all of it a hole: it takes no room
    assert f"at most {MAX_BYTES[name]} bytes" in refusal(checkpoint_folder, name)


@pytest.mark.parametrize("name", [VOCABULARY, MODEL])
@pytest.mark.parametrize("place", [0.0, 0.001, 0.5, 0.999999])
def test_one_flipped_bit(checkpoint_folder, name, place):
    content = bytearray((checkpoint_folder / name).read_bytes())
    content[int(place * len(content))] ^= 1
    (checkpoint_folder / name).write_bytes(content)
    message = refusal(checkpoint_folder, name)
    assert "expected SHA-256" in message
    assert hashlib.sha256(content).hexdigest()[:12] in message


@pytest.mark.parametrize("name", [VOCABULARY, MODEL])
def test_truncated_and_lengthened_files(checkpoint_folder, name):
    content = (checkpoint_folder / name).read_bytes()
    for changed in (content[:-1], content[: len(content) // 2], b"", content + b"\0"):
        (checkpoint_folder / name).write_bytes(changed)
        refusal(checkpoint_folder, name)


@pytest.mark.parametrize("hashes", [{}, {VOCABULARY: None, MODEL: None}, {VOCABULARY: 5, MODEL: []}])
def test_a_card_without_hashes(checkpoint_folder, hashes):
    edit_card(checkpoint_folder, sha256=hashes)
    assert "SHA-256" in refusal(checkpoint_folder, VOCABULARY)


def test_a_git_lfs_pointer(checkpoint_folder):
    (checkpoint_folder / MODEL).write_text("version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 60022614\n")
    assert "SHA-256" in refusal(checkpoint_folder, MODEL)


# --- another vocabulary -----------------------------------------------------------------------------------------


def test_another_vocabulary_of_the_same_size(checkpoint_folder):
    words = json.loads((checkpoint_folder / VOCABULARY).read_text(encoding="utf-8"))
    words["cat"] = words.pop("dog")
    (checkpoint_folder / VOCABULARY).write_text(json.dumps(words), encoding="utf-8")
    assert "SHA-256" in refusal(checkpoint_folder, VOCABULARY)


def test_another_vocabulary_of_another_size_even_with_a_fitting_hash(checkpoint_folder):
    words = json.loads((checkpoint_folder / VOCABULARY).read_text(encoding="utf-8"))
    words["cat"] = len(words)
    (checkpoint_folder / VOCABULARY).write_text(json.dumps(words), encoding="utf-8")
    forge(checkpoint_folder)
    assert f"expected {len(words) - 1} words, found {len(words)}" in refusal(checkpoint_folder, VOCABULARY)


@pytest.mark.parametrize("content", [b"[]", b"{}", b"\xff", b'{"a": 0}', b'{"a": "b"}', b"not json"])
def test_a_vocabulary_that_is_none(checkpoint_folder, content):
    (checkpoint_folder / VOCABULARY).write_bytes(content)
    forge(checkpoint_folder)
    refusal(checkpoint_folder, VOCABULARY)


def test_unknown_schema(checkpoint_folder):
    edit_card(checkpoint_folder, schema=2)
    assert "found 2" in refusal(checkpoint_folder, CARD)


# --- weights that are not what they claim -----------------------------------------------------------------------


class Malice:
    """Unpickling this creates a file."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("how", ["pickle", "torch", "old torch"])
def test_a_pickle_in_disguise_never_runs(checkpoint_folder, tmp_path, how):
    trap = tmp_path / "executed"
    path = checkpoint_folder / MODEL
    if how == "pickle":
        path.write_bytes(pickle.dumps(Malice(trap)))
    else:
        torch.save({"decoder": Malice(trap)}, path, _use_new_zipfile_serialization=how == "torch")
    refusal(checkpoint_folder, MODEL)
    forge(checkpoint_folder)
    assert "expected safetensors" in refusal(checkpoint_folder, MODEL)
    assert not trap.exists()
    if how == "pickle":  # the trap would have worked
        pickle.loads(path.read_bytes())
        assert trap.exists()


def test_truncated_safetensors_with_a_fitting_hash(checkpoint_folder):
    path = checkpoint_folder / MODEL
    content = path.read_bytes()
    for length in (0, 8, 100, len(content) - 1):
        path.write_bytes(content[:length])
        forge(checkpoint_folder)
        assert "expected safetensors" in refusal(checkpoint_folder, MODEL)


def test_a_safetensors_header_that_lies(checkpoint_folder):
    path = checkpoint_folder / MODEL
    content = path.read_bytes()
    for header in (2**63, 2**40, 0):
        path.write_bytes(header.to_bytes(8, "little") + content[8:])
        forge(checkpoint_folder)
        refusal(checkpoint_folder, MODEL)


def change_tensors(folder, change):
    tensors = load_file(folder / MODEL)
    change(tensors)
    save_file(tensors, folder / MODEL)
    forge(folder)


NAME = "decoder.attention.energy.weight"
CHANGES = {
    "wrong shape": (lambda tensors: tensors.update({NAME: torch.zeros(1, 8)}), "energy.weight"),
    "transposed": (lambda tensors: tensors.update({NAME: torch.zeros(7, 1)}), "energy.weight"),
    "missing tensor": (lambda tensors: tensors.pop(NAME), "Missing key"),
    "missing encoder tensor": (lambda tensors: tensors.pop("encoder.trunk.conv1.weight"), "conv1.weight"),
    "extra decoder tensor": (lambda tensors: tensors.update({"decoder.extra": torch.zeros(1)}), "extra"),
    "extra tensor": (lambda tensors: tensors.update({"other": torch.zeros(1)}), "unknown tensor other"),
    "not a number": (lambda tensors: tensors[NAME].fill_(float("nan")), f"some in {NAME} that are not"),
    "infinite": (lambda tensors: tensors[NAME].fill_(float("inf")), f"some in {NAME} that are not"),
    "whole numbers": (
        lambda tensors: tensors.update({NAME: torch.zeros(1, 7, dtype=torch.int64)}),
        "found torch.int64",
    ),
    "complex numbers": (
        lambda tensors: tensors.update({NAME: torch.zeros(1, 7, dtype=torch.complex64)}),
        "found torch.complex64",
    ),
    "int8 without scales": (
        lambda tensors: tensors.update({NAME: torch.zeros(1, 7, dtype=torch.int8)}),
        "lacks its scales",
    ),
    "scales without int8": (lambda tensors: tensors.update({NAME + ".scales": torch.ones(1, 1)}), "lacks its int8"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_tensors_that_do_not_fit(checkpoint_folder, name):
    change, hint = CHANGES[name]
    change_tensors(checkpoint_folder, change)
    assert hint in refusal(checkpoint_folder, MODEL)


@pytest.mark.parametrize("change", ["missing scales", "wrong scales", "infinite scales"])
def test_int8_scales_that_do_not_fit(tmp_path, change):
    save_checkpoint(tmp_path, make_checkpoint("int8"))
    scales = NAME + ".scales"
    changes = {
        "missing scales": lambda tensors: tensors.pop(scales),
        "wrong scales": lambda tensors: tensors.update({scales: torch.ones(1, 3)}),
        "infinite scales": lambda tensors: tensors[scales].fill_(float("inf")),
    }
    change_tensors(tmp_path, changes[change])
    assert NAME in refusal(tmp_path, MODEL)


def test_a_card_of_huge_sizes_takes_no_memory(checkpoint_folder):
    card = json.loads((checkpoint_folder / CARD).read_text(encoding="utf-8"))
    sizes = dict.fromkeys(("embedding_size", "hidden_size", "attention_size"), 1_000_000)
    edit_card(checkpoint_folder, decoder={**card["decoder"], **sizes})
    assert "the card describes" in refusal(checkpoint_folder, MODEL)


# --- torchvision's own encoder ----------------------------------------------------------------------------------


@pytest.fixture
def borrowed(tmp_path):
    """A checkpoint whose card says that the encoder is torchvision's; the file holds the decoder alone."""
    checkpoint = make_checkpoint()
    card = replace(checkpoint.card, encoder_weights="IMAGENET1K_V2")
    save_checkpoint(tmp_path, Checkpoint(checkpoint.encoder, checkpoint.decoder, checkpoint.vocabulary, card))
    assert not any(name.startswith("encoder.") for name in load_file(tmp_path / MODEL))
    return tmp_path


def offer(monkeypatch, answer):
    def get_state_dict(self, **options):
        assert options["check_hash"]
        return answer()

    monkeypatch.setattr(ResNet101_Weights, "get_state_dict", get_state_dict)


def test_torchvisions_weights_are_taken_without_the_classifier(borrowed, monkeypatch):
    trunk = make_checkpoint(seed=3).encoder.trunk.state_dict()
    offer(monkeypatch, lambda: {**trunk, "fc.weight": torch.zeros(1000, 2048), "fc.bias": torch.zeros(1000)})
    loaded = load_checkpoint(borrowed).encoder.trunk.state_dict()
    assert all(torch.equal(loaded[name], value) for name, value in trunk.items())


def test_no_network(borrowed, monkeypatch):
    def fail():
        raise urllib.error.URLError("no network")

    offer(monkeypatch, fail)
    assert "connect to the network" in refusal(borrowed, CARD)


def test_unknown_torchvision_weights(borrowed):
    edit_card(borrowed, encoder_weights="IMAGENET1K_V9")
    assert "IMAGENET1K_V9" in refusal(borrowed, CARD)


def test_saving_touches_nothing_else(tmp_path):
    (tmp_path / "LICENSE.txt").write_text("kept")
    save_checkpoint(tmp_path, make_checkpoint())
    assert sorted(path.name for path in Path(tmp_path).iterdir()) == ["LICENSE.txt", CARD, MODEL, VOCABULARY]
