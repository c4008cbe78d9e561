"""Import the checkpoints of a-PyTorch-Tutorial-to-Image-Captioning (sgrvinod), which are pickled whole modules.

The tutorial's model is ours in other words: an undilated ResNet stretched to the grid, attention with relu, one gate
a feature, a plain output layer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import torch
from torch import Tensor, nn

from captioner.card import Card, CheckpointError, parse_json
from captioner.checkpoint import Checkpoint
from captioner.decoder import Decoder, DecoderConfig
from captioner.encoder import FEATURE_SIZE, Encoder, EncoderConfig
from captioner.photo import PhotoFormat
from captioner.quantization import Storage
from captioner.unpickling import StandIn, one_line, parts_of, plain_tensor, read_pickled, tensors_of
from captioner.vocabulary import Vocabulary, VocabularyError

_NN, _OPTIMIZERS = "torch.nn.modules.", "torch.optim."
CLASSES = (
    "models.Encoder",
    "models.Attention",
    "models.DecoderWithAttention",
    "torchvision.models.resnet.Bottleneck",
    *(_NN + name for name in ("container.Sequential", "conv.Conv2d", "batchnorm.BatchNorm2d", "linear.Linear")),
    *(_NN + name for name in ("activation.ReLU", "activation.Sigmoid", "activation.Softmax", "dropout.Dropout")),
    *(_NN + name for name in ("pooling.MaxPool2d", "pooling.AdaptiveAvgPool2d", "sparse.Embedding", "rnn.LSTMCell")),
    "torch.nn.backends.thnn._get_thnn_function_backend",  # every module before torch 1.3 had it
    "torch.nn.parallel.data_parallel.DataParallel",
    *(_OPTIMIZERS + name for name in ("adam.Adam", "adamw.AdamW", "adamax.Adamax", "rmsprop.RMSprop", "sgd.SGD")),
    "builtins.dict",  # named, never called, by an optimizer's defaultdict
)
TRUNK = {"0": "conv1", "1": "bn1", "2": "relu", "3": "maxpool", **{str(i + 3): f"layer{i}" for i in range(1, 5)}}
DECODER = {
    "attention.encoder_att": "attention.feature_projection",
    "attention.decoder_att": "attention.hidden_projection",
    "attention.full_att": "attention.energy",
    "embedding": "embedding",
    "decode_step": "lstm",
    "init_h": "initial_hidden",
    "init_c": "initial_cell",
    "f_beta": "gate",
    "fc": "output.words",
}
UNSEEN_IN_WEIGHTS = ("kernel_size", "stride", "padding", "dilation", "groups", "ceil_mode", "eps")
MAX_GRID, USUAL_GRID = 64, 14  # a state dict does not tell its grid
WRAPPED = "module."  # what DataParallel puts before every name
BEAM_SIZE = 5  # of the tutorial's caption.py, which ranks by the sum of log-probabilities: length penalty 0
LICENCE = "Not stated in the imported file: ask whoever trained the model, and mind the terms of its training data."
LIMITS = (
    "Imported from a checkpoint of the PyTorch tutorial and not measured here. The special tokens <unk>, <start> and "
    "<pad>, which the tutorial's own search can choose, are never written. Attention is not proof of cause."
)


def read_tutorial(path: Path, word_map: Path, name: str, storage: Storage = "float32") -> Checkpoint:
    """The model of ``BEST_checkpoint_….pth.tar`` and ``WORDMAP_….json``; nothing in the file is run.

    The two models may be whole modules, as the tutorial saves them, or state dicts, from DataParallel or not. Of
    state dicts the shapes alone are known, and the tutorial's own layers and grid of 14×14 are taken for granted.

    Raises:
        CheckpointError: if a file cannot be read or asks for more than layers and numbers, the model is built
            otherwise than the tutorial's, or the word map is not its own.
    """
    vocabulary = _vocabulary(word_map)
    content = read_pickled(path, CLASSES)
    try:
        decoder = _decoder(_model(content, "decoder", "DecoderWithAttention"))
        encoder = _encoder(_model(content, "encoder", "Encoder"))
    except ValueError as error:
        raise CheckpointError(
            f"{path}: expected the PyTorch tutorial's model, found {one_line(error)}; "
            "use a checkpoint of its unchanged train.py"
        ) from None
    words = decoder.config.vocabulary_size
    if words != len(vocabulary):
        raise CheckpointError(
            f"{word_map}: expected the {words} words of the model, found {len(vocabulary)}; use the word map it was "
            "trained with"
        )
    record = {"imported from": path.name, **_progress(content)}
    # imresize to 256×256, as in the tutorial's caption.py, is Pillow's bilinear.
    photo = PhotoFormat(size=256, interpolation="bilinear")
    card = Card(name, encoder.config, decoder.config, photo, storage, beam_size=BEAM_SIZE)
    card = replace(card, licence=LICENCE, limits=LIMITS, training=record)
    return Checkpoint(encoder.eval(), decoder.eval(), vocabulary, card)


def _vocabulary(path: Path) -> Vocabulary:
    remedy = "use the WORDMAP_….json that was written with the model's training data"
    try:
        return Vocabulary(parse_json(path, path.read_bytes()))
    except OSError as error:
        raise CheckpointError(f"{path}: expected a readable file, found {error}; please check the path") from None
    except VocabularyError as error:
        raise CheckpointError(f"{path}: {error}; {remedy}") from None


class _Model(NamedTuple):
    """One of the two models: its tensors by the path of their layer, and its layers if the file has them."""

    tensors: dict[str, dict[str, Tensor]]
    layers: dict[str, StandIn] | None


def _model(content: object, key: str, kind: str) -> _Model:
    """What stands under ``key``, or under it with ``_state_dict``; a layer's path is relative to the model."""
    found = content if isinstance(content, dict) else {}
    model = found.get(key, found.get(f"{key}_state_dict"))
    if isinstance(model, StandIn):
        whole = model.get("_modules") if type(model).__name__ == "DataParallel" else None
        model = whole.get("module") if isinstance(whole, dict) else model
        if isinstance(model, StandIn) and type(model).__name__ == kind:
            layers = parts_of(model)
            return _Model({path: tensors_of(layer) for path, layer in layers.items()}, layers)
    elif isinstance(model, dict) and model and all(isinstance(name, str) for name in model):
        return _Model(_by_layer(model), None)
    raise ValueError(f"no models.{kind} under {key!r}")


def _by_layer(state: Mapping[str, object]) -> dict[str, dict[str, Tensor]]:
    wrapped = all(name.startswith(WRAPPED) for name in state)
    found: dict[str, dict[str, Tensor]] = {}
    for name, value in state.items():
        path, _, own = (name.removeprefix(WRAPPED) if wrapped else name).rpartition(".")
        found.setdefault(path, {})[own] = plain_tensor(value, name)
    return found


def _encoder(model: _Model) -> Encoder:
    names = {path: _trunk_name(path) for path in model.tensors if path.startswith("resnet.")}
    blocks = {tuple(name.split(".")[:2]) for name in names.values() if "." in name}
    first, second, third, fourth = (sum(stage == f"layer{number}" for stage, _ in blocks) for number in (1, 2, 3, 4))
    config = EncoderConfig((first, second, third, fourth), dilated=False, grid=_grid(model.layers))
    with torch.device("meta"):  # its weights come from the file
        encoder = Encoder(config)
    if model.layers is not None:
        _check_layers({names[path]: model.layers[path] for path in names}, encoder.trunk)
    state = _state(model.tensors, {path: f"trunk.{name}" for path, name in names.items()})
    for name in encoder.state_dict():
        if name.endswith("num_batches_tracked"):  # older than torch 0.4.1, which began to count
            state.setdefault(name, torch.tensor(0))
    _fill(encoder, state)
    return encoder


def _trunk_name(path: str) -> str:
    _, stage, *inside = path.split(".")
    return ".".join([TRUNK.get(stage, stage), *inside])


def _grid(parts: Mapping[str, StandIn] | None) -> int:
    if parts is None:
        return USUAL_GRID
    size = parts["adaptive_pool"].get("output_size") if "adaptive_pool" in parts else None
    rows, columns = size if type(size) is tuple and len(size) == 2 else (size, size)
    if type(rows) is not int or type(columns) is not int or rows != columns or not 1 <= rows <= MAX_GRID:
        raise ValueError("no square grid of annotations")
    return rows


def _check_layers(found: Mapping[str, StandIn], trunk: nn.Module) -> None:
    """Weights of the right shapes do not show strides and kinds: a changed encoder would load and compute nonsense."""
    expected = {name: module for name, module in trunk.named_modules() if name}
    if wrong := sorted(found.keys() ^ expected.keys()):
        raise ValueError(f"other layers than a ResNet's, at {wrong[0]}")
    for name, module in expected.items():
        part = found[name]
        if type(part).__name__ != type(module).__name__:
            raise ValueError(f"a {type(part).__name__} at {name} in place of a {type(module).__name__}")
        for attribute in UNSEEN_IN_WEIGHTS:
            if hasattr(module, attribute) and repr(part.get(attribute)) != repr(getattr(module, attribute)):
                raise ValueError(f"another {attribute} at {name}")


def _decoder(model: _Model) -> Decoder:
    dropout: object = None
    if model.layers is not None:
        if "attention.relu" not in model.layers or type(model.layers["attention.relu"]).__name__ != "ReLU":
            raise ValueError("an attention without relu")
        dropout = model.layers["dropout"].get("p") if "dropout" in model.layers else None
    state = _state(model.tensors, DECODER)
    with torch.device("meta"):
        decoder = Decoder(_decoder_config(state, dropout))
    _fill(decoder, state)
    return decoder


def _decoder_config(state: Mapping[str, Tensor], dropout: object) -> DecoderConfig:
    matrices = ("embedding.weight", "gate.weight", "attention.feature_projection.weight")
    for name in matrices:
        if name not in state or state[name].dim() != 2 or not state[name].numel():
            raise ValueError(f"no matrix for {name}")
    (words, embedding), (features, hidden), (attention, _) = (state[name].shape for name in matrices)
    if features != FEATURE_SIZE:
        raise ValueError(f"{features} features in place of {FEATURE_SIZE}")
    chance = dropout if type(dropout) is float and 0 <= dropout <= 1 else DecoderConfig.dropout
    return DecoderConfig(
        words, features, embedding, hidden, attention, output="plain", gate="feature", activation="relu", dropout=chance
    )


def _state(tensors: Mapping[str, Mapping[str, Tensor]], names: Mapping[str, str]) -> dict[str, Tensor]:
    """The state dict of our module; ``names`` goes from the tutorial's paths to ours."""
    state = {}
    for path, own in tensors.items():
        for name, tensor in own.items():
            if path not in names:
                raise ValueError(f"weights of its own at {path or 'the top'}")
            state[f"{names[path]}.{name}"] = tensor
    return state


def _fill(module: nn.Module, state: Mapping[str, Tensor]) -> None:
    try:
        module.load_state_dict(state, strict=True, assign=True)
    except RuntimeError as error:
        raise ValueError(f"other weights ({one_line(error)})") from None


def _progress(content: Mapping[str, object]) -> dict[str, int | float]:
    """What the file says of its training; its BLEU-4 is of teacher forcing, not of a search."""
    said = {"epoch": content.get("epoch"), "BLEU-4 by teacher forcing, as the file says": content.get("bleu-4")}
    return {name: value for name, value in said.items() if isinstance(value, int | float) and abs(value) < 1e9}
