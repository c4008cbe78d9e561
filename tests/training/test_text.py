from itertools import pairwise

import numpy as np
import pytest
import torch

from captioner.decoder import Decoder, DecoderConfig
from captioner.training.karpathy import DatasetError
from captioner.training.text import LONGEST, TextOnly, language_loss
from captioner.vocabulary import Vocabulary

VOCABULARY = Vocabulary.build([["a", "dog", "runs", "on", "grass"]])


@pytest.fixture
def text(tmp_path):
    path = tmp_path / "text.txt"
    path.write_text("A dog runs .\n\nThe dog runs on grass.\n" + "dog " * LONGEST + "\n", encoding="utf-8")
    return TextOnly(path, VOCABULARY)


def test_sentences_are_tokenised_as_captions_are_and_long_ones_left_out(text):
    assert len(text) == 2
    drawn = text.draw(50, seed=3)
    read = {tuple(VOCABULARY.decode(row)) for row in drawn.captions.tolist()}
    assert read == {("a", "dog", "runs"), ("<unk>", "dog", "runs", "on", "grass")}
    assert drawn.lengths.tolist() == (drawn.captions != VOCABULARY.pad).sum(dim=1).tolist()
    assert torch.equal(text.draw(50, seed=3).captions, drawn.captions)
    assert not torch.equal(text.draw(50, seed=4).captions, drawn.captions)


def test_the_loss_is_that_of_the_step_loop_on_an_empty_photo(text):
    torch.manual_seed(0)
    decoder = Decoder(DecoderConfig(len(VOCABULARY), 6, 4, 5, 3)).eval()
    sentences = text.draw(5, seed=0)
    surprises = []
    annotations = decoder.annotate(torch.zeros(1, 1, 6))
    for caption, length in zip(sentences.captions, sentences.lengths.tolist(), strict=True):
        state = decoder.start(annotations)
        for previous, following in pairwise(caption[:length]):
            step = decoder.step(annotations, state, previous[None])
            surprises.append(-step.logits.log_softmax(dim=1)[0, following].item())
            state = step.state
    assert language_loss(decoder, sentences, torch.float32).item() == pytest.approx(np.mean(surprises), rel=1e-5)


def test_what_is_no_text_is_refused(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"\xff\xd8\xff")
    (tmp_path / "empty.txt").write_text(" \n")
    for name, complaint in (
        ("photo.jpg", "one sentence a line"),
        ("none.txt", "text file"),
        ("empty.txt", "no sentence"),
    ):
        with pytest.raises(DatasetError, match=complaint):
            TextOnly(tmp_path / name, VOCABULARY)
