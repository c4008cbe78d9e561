"""Tiny models shared by the tests: word maps of a few words, decoders on a 3×2 grid, a whole small checkpoint."""

import torch

from captioner.attention import Annotations
from captioner.card import Card
from captioner.checkpoint import Checkpoint
from captioner.decoder import Decoder, DecoderConfig
from captioner.encoder import Encoder, EncoderConfig
from captioner.photo import PhotoFormat
from captioner.vocabulary import Vocabulary

ROWS, COLUMNS = 3, 2
FEATURES = 5


def make_vocabulary(*words: str) -> Vocabulary:
    """A word map in the field's usual order."""
    return Vocabulary({word: index for index, word in enumerate(["<pad>", *words, "<unk>", "<start>", "<end>"])})


def make_decoder(vocabulary_size: int, seed: int = 0, sharpness: float = 4.0, **forms: object) -> Decoder:
    """A random decoder on features of size 5, its weights enlarged until its choices differ clearly."""
    torch.manual_seed(seed)
    sizes = {"feature_size": FEATURES, "embedding_size": 4, "hidden_size": 6, "attention_size": 3}
    decoder = Decoder(DecoderConfig(vocabulary_size, **{**sizes, **forms})).eval()
    with torch.no_grad():
        for weights in decoder.parameters():
            weights.mul_(sharpness)
    return decoder


def make_features(photos: int, seed: int = 0) -> torch.Tensor:
    """``(photos, 6, 5)`` features of a 3×2 grid."""
    return torch.randn(photos, ROWS * COLUMNS, FEATURES, generator=torch.Generator().manual_seed(seed))


def make_annotations(decoder: Decoder, photos: int = 1, seed: int = 0) -> Annotations:
    """Annotations of random features."""
    with torch.inference_mode():
        return decoder.annotate(make_features(photos, seed))


def make_checkpoint(storage: str = "float32", seed: int = 0, sharpness: float = 1.0) -> Checkpoint:
    """A whole model, four blocks deep, on 64 px photos and a 3×3 grid; a sharp one's choices differ more."""
    torch.manual_seed(seed)
    vocabulary = make_vocabulary("a", "dog", "runs", "개가", "<img src=x onerror=alert(1)>")
    encoder = Encoder(EncoderConfig((1, 1, 1, 1), grid=3))
    decoder = Decoder(DecoderConfig(len(vocabulary), embedding_size=8, hidden_size=12, attention_size=7))
    with torch.no_grad():
        for weights in decoder.parameters():
            weights.mul_(sharpness)
    card = Card("tiny", encoder.config, decoder.config, PhotoFormat(64), storage)
    return Checkpoint(encoder.eval(), decoder.eval(), vocabulary, card)
