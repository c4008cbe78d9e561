"""Checkpoints in the tutorial's form: the same captions and maps as its own search, and nothing of a file is run."""

import copy
import io
import json
import operator
import os
import pickle
import sys
import zipfile
from collections import OrderedDict

import numpy as np
import pytest
import skimage.data
import torch
from PIL import Image
from torch import nn
from tutorial_form import (
    STEPS,
    aged,
    as_models,
    from_a_gpu,
    light_models,
    make_models,
    make_word_map,
    prepared,
    trained_a_little,
    tutorial_caption,
    write,
)

from captioner.__main__ import main
from captioner.checkpoint import CheckpointError, load_checkpoint
from captioner.encoder import RESNET_101
from captioner.photo import Photo, prepare
from captioner.pipeline import Captioner
from captioner.search import SearchSettings
from captioner.tutorial import read_tutorial
from captioner.vocabulary import UNK

SEEDS = range(8)
PHOTO = os.path.join(os.path.dirname(skimage.data.__file__), "chelsea.png")  # noqa: PTH118, PTH120


@pytest.fixture
def files(tmp_path):
    """Paths of a checkpoint and of its word map, which `bring` reads."""
    return tmp_path / "BEST_checkpoint_tiny.pth.tar", tmp_path / "WORDMAP_tiny.json"


def write_both(files, models, **how):
    encoder, decoder, word_map = models
    write(files[0], encoder, decoder, **how)
    files[1].write_text(json.dumps(word_map), encoding="utf-8")


def write_decoder(files, decoder=None, **how):
    """A checkpoint that is refused before its encoder would be looked for, and lacks it."""
    _, usual, word_map = light_models()
    write_both(files, (None, decoder or usual, word_map), **how)


def write_words(files):
    files[1].write_text(json.dumps(make_word_map()), encoding="utf-8")


def bring(files, *options):
    """The imported model, through the command line and the ordinary, verified load."""
    folder = files[0].parent / "imported"
    assert main(["import", *map(str, files), str(folder), *options]) == 0
    return Captioner.load(folder)


def random_photo(seed):
    tensor = torch.randn(3, 64, 64, generator=torch.Generator().manual_seed(seed))
    return Photo(Image.new("RGB", (64, 64)), tensor)


def compare(captioner, models, photo, beam_size):
    """Our caption against the tutorial's; the words, for the test to count, or None where none finished."""
    encoder, decoder, word_map = models
    expected = tutorial_caption(encoder, decoder, photo.tensor, word_map, beam_size)
    found = captioner.caption(captioner.look(photo), SearchSettings(beam_size, max_length=STEPS))
    if expected is None:
        assert not found.finished
        return None
    words = {index: word for word, index in word_map.items()}
    assert ["<start>", *found.words] == [words[index] for index in expected[0]]
    np.testing.assert_allclose(found.alphas, expected[1][1:], rtol=0, atol=1e-4)
    return found.words


# --- the same captions and maps ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_captions_and_maps_are_the_tutorials(files):
    captions = []
    for seed in SEEDS:
        models = make_models(seed)
        write_both(files, models)
        captioner = bring(files, "--overwrite")
        captions += [compare(captioner, models, random_photo(seed), beam_size) for beam_size in (1, 3, 5)]
    finished = [caption for caption in captions if caption]
    assert len(finished) >= len(captions) / 2, "enough was compared"
    assert len(set(finished)) >= len(finished) / 3
    assert max(map(len, finished)) >= 4


@pytest.mark.slow
def test_from_the_file_of_a_photo_to_the_caption(files):
    """Default settings and the tutorial's own grid and photo size; its preparation of the photo too."""
    models = make_models(9, grid=14)
    write_both(files, models)
    captioner = bring(files)
    found = captioner.caption(PHOTO)
    expected, maps = tutorial_caption(models[0], models[1], prepared(PHOTO), models[2], captioner.card.beam_size)
    assert [captioner.vocabulary.id(word) for word in found.words] == expected[1:]
    assert found.alphas.shape[1:] == (14, 14)
    np.testing.assert_allclose(found.alphas, maps[1:], rtol=0, atol=1e-4)


@pytest.mark.parametrize("name", ["chelsea.png", "camera.png", "coffee.png"])
def test_photos_are_prepared_as_in_the_tutorial(files, name):
    write_both(files, make_models())
    path = os.path.join(os.path.dirname(PHOTO), name)  # noqa: PTH118, PTH120
    ours = prepare(path, read_tutorial(*files, "tiny").card.photo).tensor
    torch.testing.assert_close(ours, prepared(path), rtol=0, atol=1e-5)


def test_unknown_is_the_one_word_never_taken_over(files):
    """The tutorial's search may write ``<unk>``; here the best caption without it is found."""
    models = make_models(9, unknown=2.0)
    write_both(files, models)
    expected, _ = tutorial_caption(models[0], models[1], random_photo(9).tensor, models[2], 3)
    captioner = bring(files)
    caption = captioner.caption(captioner.look(random_photo(9)), SearchSettings(3, max_length=STEPS))
    assert models[2][UNK] in expected
    assert UNK not in caption.words
    assert caption.finished


# --- forms of the file ------------------------------------------------------------------------------------------

FORMS = {
    "zip": ({}, False),
    "before torch 1.6": ({"zipped": False}, False),
    "torch 0.4": ({"zipped": False}, True),
}


@pytest.mark.parametrize("name", FORMS)
@pytest.mark.slow
def test_every_form_of_the_file_gives_the_same_model(files, name):
    how, old = FORMS[name]
    models = make_models(4)
    optimizer = trained_a_little(models[1])
    written = tuple(aged(copy.deepcopy(model)) for model in models[:2]) if old else models[:2]
    write_both(files, (*written, models[2]), decoder_optimizer=optimizer, **how)
    assert compare(bring(files), models, random_photo(4), 3)


@pytest.mark.parametrize("form", ["DataParallel", "state dicts", "state dicts of DataParallel", "named state dicts"])
@pytest.mark.slow
def test_models_saved_otherwise_are_the_same(files, form):
    encoder, decoder, word_map = make_models(2, grid=14)
    write_both(files, (encoder, decoder, word_map))
    expected = bring(files)
    if "DataParallel" in form:
        encoder, decoder = nn.DataParallel(encoder), nn.DataParallel(decoder)
    if "state" in form:
        encoder, decoder = encoder.state_dict(), decoder.state_dict()
    if form == "named state dicts":
        write(files[0], None, None, encoder_state_dict=encoder, decoder_state_dict=decoder)
        content = torch.load(files[0], weights_only=True)
        torch.save({name: value for name, value in content.items() if value is not None}, files[0])
    else:
        write(files[0], encoder, decoder)
    found = bring(files, "--overwrite")
    assert found.card.encoder == expected.card.encoder
    own = expected.decoder.state_dict()
    assert all(torch.equal(value, own[name]) for name, value in found.decoder.state_dict().items())
    photos = random_photo(2).tensor[None]
    assert torch.equal(found.encoder(photos), expected.encoder(photos))


@pytest.mark.parametrize("state", [{}, {"embedding": torch.zeros(3)}, {3: torch.zeros(3)}, {"fc.weight": "text"}])
def test_state_dicts_of_another_model_are_refused(files, state):
    write_both(files, (None, state, make_word_map()))
    assert "expected the PyTorch tutorial's model" in refusal(files)


def test_a_file_in_place_of_a_checkpoint_is_to_be_imported_first(files, capsys):
    write_decoder(files)
    assert main(["caption", PHOTO, "--checkpoint", str(files[0])]) == 1
    assert f"import it first: python -m captioner import {files[0]} WORDMAP.json FOLDER" in capsys.readouterr().err


def test_a_file_written_on_a_gpu(files):
    models = make_models(4)
    write_both(files, models, zipped=False)
    from_a_gpu(files[0])
    assert compare(bring(files), models, random_photo(4), 3)


def test_half_precision_and_a_tuned_encoder(files):
    models = make_models(4)
    for parameter in models[0].resnet[5:].parameters():
        parameter.requires_grad = True
    halved = copy.deepcopy(models[0]).half().float()
    optimizer = trained_a_little(models[0])
    write_both(files, (models[0].half(), *models[1:]), encoder_optimizer=optimizer)
    assert compare(bring(files), (halved, *models[1:]), random_photo(4), 3)


@pytest.mark.slow
def test_a_whole_resnet_101(files):
    write_both(files, make_models(blocks=RESNET_101, grid=14))
    card = bring(files, "--storage", "float16").card
    assert (card.encoder.blocks, card.encoder.grid, card.encoder.dilated) == (RESNET_101, 14, False)


# --- the command ------------------------------------------------------------------------------------------------


def test_it_says_what_came_in_and_how_to_use_it(files, capsys):
    write_both(files, make_models())
    card = bring(files).card
    first, second = capsys.readouterr().out.splitlines()
    assert all(said in first for said in ("'imported'", "ResNet-14", "3×3", "28 words", "epoch: 11", "0.2375"))
    command = second.partition("python -m captioner ")[2].replace("PHOTO", PHOTO).split()
    assert main(command) == 0
    assert "log-probability" in capsys.readouterr().out
    assert (card.decoder.output, card.decoder.gate, card.decoder.activation) == ("plain", "feature", "relu")
    assert (card.photo.size, card.photo.interpolation, card.length_penalty) == (256, "bilinear", 0)
    assert card.training["imported from"] == files[0].name


def test_a_folder_in_use_stays_as_it_is(files, capsys):
    write_both(files, make_models())
    folder = files[0].parent / "imported"
    folder.mkdir()
    (folder / "card.json").write_text("mine", encoding="utf-8")
    assert main(["import", *map(str, files), str(folder)]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert str(folder) in line
    assert "--overwrite" in line
    assert [path.read_text("utf-8") for path in folder.iterdir()] == ["mine"]
    assert main(["import", *map(str, files), str(folder), "--overwrite"]) == 0
    load_checkpoint(folder)


def test_a_place_that_cannot_be_written_is_one_sentence(files, capsys):
    write_both(files, make_models())
    assert main(["import", *map(str, files), str(files[0]), "--overwrite"]) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert "another folder" in line


# --- what is refused --------------------------------------------------------------------------------------------


def refusal(files, name=0):
    """The one sentence, which names the file; nothing was written or left behind."""
    before = set(torch.serialization.get_safe_globals())
    with pytest.raises(CheckpointError) as caught:
        read_tutorial(*files, "tiny")
    assert set(torch.serialization.get_safe_globals()) == before
    assert "models" not in sys.modules
    message = str(caught.value)
    assert message.startswith(f"{files[name]}: ")
    assert message.isprintable()
    assert any(remedy in message for remedy in ("use ", "download it again", "check the path", "restore"))
    return message


class Call:
    """Unpickling this calls a function."""

    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


class Key(Call):
    """The same as a key of a dict."""

    __hash__ = object.__hash__


HOSTILE = {
    "a value": lambda call: call,
    "a key": lambda call: {call: 1},
    "deep inside": lambda call: OrderedDict(a=[({"b": (call,)},)]),
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("place", HOSTILE)
def test_a_hostile_pickle_never_runs(files, tmp_path, place, zipped):
    trap = tmp_path / "executed"
    call = Key(os.mkdir, str(trap))
    write_decoder(files, zipped=zipped, extra=HOSTILE[place](call))
    message = refusal(files)
    assert "asks for posix.mkdir" in message or os.name != "posix"
    assert "nothing of it was run" in message
    assert not trap.exists()
    with as_models():  # the trap would have worked
        torch.load(files[0], weights_only=False)
    assert trap.exists()


@pytest.mark.parametrize("function", [eval, exec, getattr, setattr, open, __import__, type, operator.attrgetter])
def test_no_function_that_could_lead_further_is_called(files, function):
    write_decoder(files, extra=Call(function, "1"))
    assert f"{function.__name__}; nothing of it was run" in refusal(files)


def test_hostile_layers(files):
    """A pickle among a layer's attributes, parameters and children."""
    for table in ("__dict__", "_parameters", "_buffers", "_modules", "_forward_hooks"):
        _, decoder, _ = light_models()
        attributes = decoder.attention.__dict__
        (attributes if table == "__dict__" else attributes[table])["x"] = Call(os.mkdir, "never")
        write_decoder(files, decoder)
        assert "nothing of it was run" in refusal(files)


def text(word):
    return b"X" + len(word).to_bytes(4, "little") + word.encode()


def old_file(*pickles):
    """The row of pickles that was a file before torch 1.6; ``None`` is the ordinary one at its place."""
    usual = [pickle.dumps(value, 2) for value in (0x1950A86A20F9469CFC6C, 1001, {"little_endian": True}, {}, [])]
    return b"".join(one or other for one, other in zip(pickles, usual, strict=True))


def zip_file(content):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/version", "3\n")
    return buffer.getvalue()


ENCODER, MKDIR = b"cmodels\nEncoder\n", b"cposix\nmkdir\n"
RAW = {  # opcodes: c global, ( mark, t tuple, R reduce, ) empty tuple, \x81 new object, } dict, b build, u set items
    "a stand-in with arguments": ENCODER + b"(" + text("x") + b"tR.",
    "a new stand-in with arguments": ENCODER + b"(" + text("x") + b"t\x81.",
    "a stand-in with slots": ENCODER + b")\x81(}" + b"}(" + text("get") + b"K\x01utb.",
    "attributes on the stand-in itself": ENCODER + b"}(" + text("__setstate__") + b"K\x01ub.",
    "attributes on a function": b"ctorch._utils\n_rebuild_tensor_v2\n}(" + text("__defaults__") + b"K\x01ub.",
    "attributes that are no table": ENCODER + b")\x81" + text("x") + b"b.",
    "items into a stand-in": ENCODER + b")\x81" + text("x") + b"K\x01s.",
    "a method hidden by an attribute": ENCODER + b")\x81}(" + text("__setstate__") + ENCODER + b"ub}b.",
    "a class by INST": b"(" + text("never") + b"iposix\nmkdir\n.",
    "a class by STACK_GLOBAL": text("posix") + text("mkdir") + b"\x93(" + text("never") + b"tR.",
    "a name with dots": b"cmodels\nEncoder.__init__.__globals__\n.",
    "a module record that is a call": b"(" + text("module") + MKDIR + text("never") + b"tR(NtQ.",
    "a record of something else": b"(" + text("other") + ENCODER + b"NNtQ.",
    "an empty record": b"(tQ.",
    "no mark": b"tQ.",
    "an endless memo": b"K\x01r\xff\xff\xff\xffj\x00\x00\x00\x00.",
}


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", RAW)
def test_abused_opcodes_are_refused(files, name, zipped, monkeypatch, tmp_path):
    monkeypatch.chdir(tmp_path)
    write_words(files)
    content = b"\x80\x02" + RAW[name]
    files[0].write_bytes(zip_file(content) if zipped else old_file(None, None, None, content, None))
    refusal(files)
    assert not (tmp_path / "never").exists()


@pytest.mark.parametrize("place", range(5))
def test_every_pickle_of_an_old_file_is_guarded(files, place, tmp_path):
    write_words(files)
    trap = tmp_path / "executed"
    pickles = [None] * 5
    pickles[place] = pickle.dumps(Call(os.mkdir, str(trap)), 2)
    files[0].write_bytes(old_file(*pickles))
    refusal(files)
    assert not trap.exists()


def test_a_class_in_a_module_record_is_looked_up_like_any_other(files):
    """The record goes, the name in it stays: it is refused as it would be without the record."""
    write_words(files)
    record = b"\x80\x02(" + text("module") + MKDIR + b"q\x05NNtq\x06Q(" + text("never") + b"tR."
    files[0].write_bytes(old_file(None, None, None, record, None))
    assert "asks for posix.mkdir" in refusal(files)


def encoder_with(change):
    def make(files):
        models = make_models()
        change(models[0])
        write_both(files, models)

    return make


def decoder_with(change):
    def make(files):
        _, decoder, _ = light_models()
        change(decoder)
        write_decoder(files, decoder)

    return make


def layer_with(path, name, value):
    return encoder_with(lambda encoder: setattr(encoder.get_submodule(path), name, value))


MODELS = {
    "a stride": (layer_with("resnet.7.0.conv2", "stride", (1, 1)), "another stride at layer4.0.conv2"),
    "a dilation": (layer_with("resnet.7.0.conv2", "dilation", (2, 2)), "another dilation"),
    "an epsilon": (layer_with("resnet.1", "eps", 1e-3), "another eps at bn1"),
    "a grid": (layer_with("adaptive_pool", "output_size", (2, 3)), "no square grid"),
    "a layer more": (encoder_with(lambda encoder: encoder.resnet.append(nn.ReLU())), "other layers"),
    "a layer less": (encoder_with(lambda encoder: encoder.resnet.pop(-1)), "other layers"),
    "another kind": (encoder_with(lambda encoder: setattr(encoder.resnet, "2", nn.Sigmoid())), "a Sigmoid at relu"),
    "tanh": (decoder_with(lambda decoder: setattr(decoder.attention, "relu", nn.Tanh())), "asks for torch.nn.modules"),
    "no relu": (decoder_with(lambda decoder: setattr(decoder.attention, "relu", nn.Sigmoid())), "without relu"),
    "own weights": (decoder_with(lambda decoder: setattr(decoder, "extra", nn.Linear(1, 1))), "its own at extra"),
    "a lacking layer": (decoder_with(lambda decoder: delattr(decoder, "fc")), "other weights"),
    "no embedding": (decoder_with(lambda decoder: delattr(decoder, "embedding")), "no matrix for embedding"),
    "another size": (decoder_with(lambda decoder: setattr(decoder, "init_h", nn.Linear(2048, 13))), "other weights"),
    "no tensor": (decoder_with(lambda decoder: decoder.fc._parameters.update(bias=[1.0])), "no ordinary tensor"),
    "too large": (
        decoder_with(lambda decoder: decoder.fc._parameters.update(bias=torch.zeros(1).expand(10**12))),
        "larger than what is stored",
    ),
    "not a number": (decoder_with(lambda decoder: decoder.fc.bias.data.fill_(float("nan"))), "no finite numbers"),
    "a circle": (decoder_with(lambda decoder: decoder.attention._modules.update(x=decoder)), "in two places"),
}


@pytest.mark.parametrize("name", MODELS)
def test_another_model_is_refused(files, name):
    make, hint = MODELS[name]
    make(files)
    assert hint in refusal(files)


@pytest.mark.parametrize("content", [{"encoder": {}, "decoder": {}}, {}, [], 5, "text", torch.zeros(2)])
def test_a_file_of_torch_that_holds_no_such_model(files, content):
    write_words(files)
    torch.save(content, files[0])
    assert "no models.DecoderWithAttention" in refusal(files)


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0, 0.001, 0.5, 0.999])
def test_a_file_cut_short(files, zipped, share):
    write_decoder(files, zipped=zipped)
    content = files[0].read_bytes()
    files[0].write_bytes(content[: int(share * len(content))])
    assert "download it again" in refusal(files)


@pytest.mark.parametrize("content", [b"not a checkpoint", b"\x80\x02", b"PK\x03\x04 and no more", b"\x1b[31m"])
def test_a_file_that_is_none(files, content):
    write_words(files)
    files[0].write_bytes(content)
    refusal(files)


def test_files_that_are_not_there(files):
    write_words(files)
    assert "check the path" in refusal(files)
    files[0].mkdir()
    assert "check the path" in refusal(files)
    files[1].unlink()
    assert "check the path" in refusal(files, 1)


WORDS = {
    "another size": (lambda words: words | {"more": len(words)}, "expected the 28 words of the model, found 29"),
    "no <unk>": (lambda words: {("x" if word == UNK else word): each for word, each in words.items()}, "lacks"),
    "gaps": (lambda words: words | {"word1": 100}, "must be 0 to"),
    "no map": (list, "JSON object"),
}


@pytest.mark.parametrize("name", WORDS)
def test_a_word_map_that_does_not_fit(files, name):
    change, hint = WORDS[name]
    write_both(files, make_models())
    files[1].write_text(json.dumps(change(make_word_map())), encoding="utf-8")
    assert hint in refusal(files, 1)
