"""A tiny captioned photo collection and a tiny checkpoint to start from."""

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import torch
from accelerate.state import AcceleratorState
from PIL import Image

from captioner.card import Card
from captioner.checkpoint import Checkpoint, save_checkpoint
from captioner.decoder import Decoder, DecoderConfig
from captioner.encoder import Encoder, EncoderConfig
from captioner.photo import PhotoFormat
from captioner.vocabulary import Vocabulary

COLOURS = {"red": (200, 30, 30), "green": (30, 180, 40), "blue": (30, 40, 200)}


@dataclass(frozen=True)
class Collection:
    """Paths of the collection and of the checkpoint."""

    dataset: Path
    photos: Path
    checkpoint: Path


@pytest.fixture(autouse=True)
def fresh_accelerator():
    """Accelerate keeps one precision a process; which one a run chooses depends on the processor."""
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture(scope="session")
def collection(tmp_path_factory):
    folder = tmp_path_factory.mktemp("collection")
    photos = folder / "photos"
    photos.mkdir()
    random = np.random.default_rng(0)
    images = []
    for number in range(15):
        colour = list(COLOURS)[number % 3]
        noise = random.integers(-20, 20, (64, 64, 3))
        Image.fromarray((np.array(COLOURS[colour]) + noise).clip(0, 255).astype(np.uint8)).save(
            photos / f"{number}.png"
        )
        texts = (f"a {colour} square", f"the square is {colour}", f"{colour} all over")
        sentences = [{"tokens": text.split()} for text in texts]
        split = "val" if number >= 12 else "train"
        images.append({"filename": f"{number}.png", "split": split, "sentences": sentences})
    dataset = folder / "dataset.json"
    dataset.write_text(json.dumps({"dataset": "squares", "images": images}))
    tokens = [sentence["tokens"] for image in images for sentence in image["sentences"]]
    vocabulary = Vocabulary.build(tokens)
    torch.manual_seed(0)
    encoder = Encoder(EncoderConfig((1, 1, 1, 1), grid=4))
    decoder = Decoder(DecoderConfig(len(vocabulary), embedding_size=16, hidden_size=16, attention_size=8))
    card = Card("squares", encoder.config, decoder.config, PhotoFormat(64))
    save_checkpoint(folder / "start", Checkpoint(encoder, decoder, vocabulary, card))
    return Collection(dataset, photos, folder / "start")
