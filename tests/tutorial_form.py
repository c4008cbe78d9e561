"""The PyTorch tutorial's model and beam search, written afresh in their form: an oracle, and files to import."""

import sys
import types
import warnings
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import nn
from torchvision.models.resnet import Bottleneck, ResNet

MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
STEPS = 51  # the tutorial's loop ends after the step numbered 51


class Encoder(nn.Module):
    """ResNet as a plain sequence of its children, pooled to a grid that comes last but for the features."""

    def __init__(self, blocks=(1, 1, 1, 1), enc_image_size=14):
        super().__init__()
        self.enc_image_size = enc_image_size
        self.resnet = nn.Sequential(*list(ResNet(Bottleneck, list(blocks)).children())[:-2])
        self.adaptive_pool = nn.AdaptiveAvgPool2d((enc_image_size, enc_image_size))
        for parameter in self.resnet.parameters():
            parameter.requires_grad = False

    def forward(self, images):
        return self.adaptive_pool(self.resnet(images)).permute(0, 2, 3, 1)


class Attention(nn.Module):
    def __init__(self, encoder_dim, decoder_dim, attention_dim):
        super().__init__()
        self.encoder_att = nn.Linear(encoder_dim, attention_dim)
        self.decoder_att = nn.Linear(decoder_dim, attention_dim)
        self.full_att = nn.Linear(attention_dim, 1)
        self.relu = nn.ReLU()
        self.softmax = nn.Softmax(dim=1)

    def forward(self, encoder_out, decoder_hidden):
        mixed = self.relu(self.encoder_att(encoder_out) + self.decoder_att(decoder_hidden)[:, None])
        alpha = self.softmax(self.full_att(mixed)[..., 0])
        return torch.einsum("rl,rld->rd", alpha, encoder_out), alpha


class DecoderWithAttention(nn.Module):
    def __init__(self, attention_dim, embed_dim, decoder_dim, vocab_size, encoder_dim=2048, dropout=0.5):
        super().__init__()
        self.encoder_dim, self.attention_dim, self.embed_dim = encoder_dim, attention_dim, embed_dim
        self.decoder_dim, self.vocab_size = decoder_dim, vocab_size
        self.attention = Attention(encoder_dim, decoder_dim, attention_dim)
        self.embedding = nn.Embedding(vocab_size, embed_dim)
        self.dropout = nn.Dropout(p=dropout)
        self.decode_step = nn.LSTMCell(embed_dim + encoder_dim, decoder_dim, bias=True)
        self.init_h = nn.Linear(encoder_dim, decoder_dim)
        self.init_c = nn.Linear(encoder_dim, decoder_dim)
        self.f_beta = nn.Linear(decoder_dim, encoder_dim)
        self.sigmoid = nn.Sigmoid()
        self.fc = nn.Linear(decoder_dim, vocab_size)


FORM = (Encoder, Attention, DecoderWithAttention)


@contextmanager
def as_models():
    """The classes as those of a module ``models``, for as long as a file is written."""
    module = types.ModuleType("models")
    before = [each.__module__ for each in FORM]
    for each in FORM:
        each.__module__ = "models"
        setattr(module, each.__name__, each)
    sys.modules["models"] = module
    try:
        yield
    finally:
        del sys.modules["models"]
        for each, name in zip(FORM, before, strict=True):
            each.__module__ = name


def make_word_map(words=24):
    """As the tutorial writes it: words from 1, then ``<unk>``, ``<start>``, ``<end>``, and ``<pad>`` as 0."""
    word_map = {f"word{number}": number for number in range(1, words + 1)}
    for special in ("<unk>", "<start>", "<end>"):
        word_map[special] = len(word_map) + 1
    return {**word_map, "<pad>": 0}


@torch.no_grad()
def make_models(seed=0, words=24, blocks=(1, 1, 1, 1), grid=3, unknown=-30.0):
    """Random models whose choices differ clearly; ``unknown`` is added to the score of ``<unk>``."""
    torch.manual_seed(seed)
    word_map = make_word_map(words)
    encoder, decoder = Encoder(blocks, grid).eval(), DecoderWithAttention(7, 8, 12, len(word_map)).eval()
    for name, weights in decoder.named_parameters():
        weights.mul_({"attention": 8, "fc": 9}.get(name.split(".")[0], 4))
    for layer in encoder.modules():
        if isinstance(layer, nn.BatchNorm2d):
            layer.running_mean.normal_(0, 0.1)
            layer.running_var.uniform_(0.5, 2)
    for special, likelier in {"<pad>": -30, "<start>": -30, "<unk>": unknown, "<end>": 3}.items():
        decoder.fc.bias[word_map[special]] += likelier
    return encoder, decoder, word_map


def light_models():
    """No encoder, a small decoder whose optimizer and weights are soon written, and its word map."""
    return None, DecoderWithAttention(7, 8, 12, len(make_word_map())).eval(), make_word_map()


def prepared(path):
    """The tutorial's preparation of a photo, with what ``scipy.misc.imresize`` was."""
    photo = np.asarray(Image.open(path))
    photo = np.stack([photo] * 3, axis=2) if photo.ndim == 2 else photo
    photo = np.asarray(Image.fromarray(photo).resize((256, 256), Image.Resampling.BILINEAR))
    photo = torch.FloatTensor(photo.transpose(2, 0, 1) / 255.0)
    return (photo - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]


@torch.no_grad()
def tutorial_caption(encoder, decoder, image, word_map, beam_size):
    """The tutorial's beam search: ids from ``<start>`` to ``<end>`` and their maps, or None if nothing finished."""
    encoded = encoder(image[None])
    side, features = encoded.shape[1], encoded.shape[3]
    annotations = encoded.reshape(1, -1, features).expand(beam_size, -1, -1)
    mean = annotations.mean(dim=1)
    hidden, cell = decoder.init_h(mean), decoder.init_c(mean)
    sequences = torch.full((beam_size, 1), word_map["<start>"])
    maps = torch.ones(beam_size, 1, side, side)
    sums = torch.zeros(beam_size, 1)
    finished = []
    for step in range(1, STEPS + 1):
        context, alpha = decoder.attention(annotations[: len(hidden)], hidden)
        gated = decoder.sigmoid(decoder.f_beta(hidden)) * context
        inputs = torch.cat([decoder.embedding(sequences[:, -1]), gated], dim=1)
        hidden, cell = decoder.decode_step(inputs, (hidden, cell))
        scores = sums + decoder.fc(hidden).log_softmax(dim=1)
        kept = len(hidden)
        best, flat = (scores[0] if step == 1 else scores.flatten()).topk(kept)
        rows, words = flat // len(word_map), flat % len(word_map)
        sequences = torch.cat([sequences[rows], words[:, None]], dim=1)
        maps = torch.cat([maps[rows], alpha.view(-1, 1, side, side)[rows]], dim=1)
        ends = words == word_map["<end>"]
        finished += zip(best[ends].tolist(), sequences[ends].tolist(), maps[ends].numpy(), strict=True)
        if ends.all():
            break
        live = ~ends
        sequences, maps, sums = sequences[live], maps[live], best[live][:, None]
        hidden, cell = hidden[rows[live]], cell[rows[live]]
    if not finished:
        return None
    _, sequence, alphas = max(finished, key=lambda each: each[0])
    return sequence, alphas


def trained_a_little(model):
    """An Adam that has made a step, as it lies in a checkpoint."""
    chosen = [parameter for parameter in model.parameters() if parameter.requires_grad]
    optimizer = torch.optim.Adam(chosen, lr=0.0)
    sum(parameter.sum() for parameter in chosen).backward()
    optimizer.step()
    optimizer.zero_grad()
    return optimizer


def write(path: Path, encoder, decoder, zipped=True, **changes):
    """A checkpoint as the tutorial's ``save_checkpoint`` writes it."""
    state = {
        "epoch": 11,
        "epochs_since_improvement": 0,
        "bleu-4": 0.2375,
        "encoder": encoder,
        "decoder": decoder,
        "encoder_optimizer": None,
        "decoder_optimizer": None,
    }
    with as_models(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the old format misses the source code of these classes
        torch.save({**state, **changes}, path, _use_new_zipfile_serialization=zipped)


class ThnnBackend:
    """What every module of torch 0.4 to 1.2 carried as ``_backend``."""

    def __reduce__(self):
        from torch.nn.backends.thnn import _get_thnn_function_backend  # noqa: PLC0415

        return _get_thnn_function_backend, ()


OLD_ATTRIBUTES = {"training", "_parameters", "_buffers", "_modules", "_backward_hooks", "_forward_hooks"}
OLD_ATTRIBUTES |= {"_forward_pre_hooks"}


def aged(model):
    """The model with the attributes it would have had under torch 0.4.0, to be pickled and nothing else."""
    for module in model.modules():
        attributes = module.__dict__
        for name in set(attributes) - OLD_ATTRIBUTES:
            if name.startswith("_") or name == "padding_mode":
                del attributes[name]
        attributes["_backend"] = ThnnBackend()
        attributes["_buffers"].pop("num_batches_tracked", None)
        for name, value in attributes["_parameters"].items():
            if value is not None:  # a parameter was pickled as a tensor that needs a gradient
                attributes["_parameters"][name] = value.detach().requires_grad_(value.requires_grad)
    return model


def from_a_gpu(path: Path):
    """Change a file of the old format into what the same save on a GPU would have written."""
    content = path.read_bytes()
    start = content.index(b"epochs_since_improvement")  # in the one pickle that holds the models
    moved = content[start:].replace(b"ctorch\nFloatStorage\n", b"ctorch.cuda\nFloatStorage\n")
    moved = moved.replace(b"X\x03\x00\x00\x00cpu", b"X\x06\x00\x00\x00cuda:0")
    assert moved.count(b"cuda") >= 2
    path.write_bytes(content[:start] + moved)
