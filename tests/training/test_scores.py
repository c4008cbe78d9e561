import math

import pytest
import torch

from captioner.decoder import Decoder, DecoderConfig
from captioner.search import SearchSettings, search
from captioner.training.measures.scores import caption_scores, decode, diversity, share_repeating
from captioner.vocabulary import Vocabulary


def test_a_perfect_caption_scores_full_marks_and_a_foreign_one_none():
    references = [[("a", "dog", "runs", "fast")], [("two", "men", "sit", "down")], [("snow", "on", "a", "hill")]]
    perfect = caption_scores([each[0] for each in references], references)
    assert perfect["BLEU-4"] == pytest.approx(100, abs=1e-3)
    assert perfect["ROUGE-L"] == pytest.approx(100)
    assert perfect["CIDEr"] == pytest.approx(10)
    foreign = caption_scores([("x", "y", "z", "q")] * 3, references)
    assert foreign["BLEU-1"] == pytest.approx(0, abs=1e-3)
    assert foreign["CIDEr"] == pytest.approx(0)


def test_bleu_is_the_hand_calculation():
    # 3 of 4 words, 2 of 3 pairs, and no brevity penalty
    scores = caption_scores([("a", "dog", "runs", "away")], [[("a", "dog", "runs", "fast")]])
    assert scores["BLEU-1"] == pytest.approx(75, abs=1e-3)
    assert scores["BLEU-2"] == pytest.approx(100 * math.sqrt(3 / 4 * 2 / 3), abs=1e-3)


def test_diversity_counts():
    found = diversity([("a", "dog", "on", "the"), ("a", "dog"), ("a", "dog"), ()])
    assert found == {"distinct captions": 3, "distinct words": 4, "mean length": 2, "dangling": 0.5}


def test_a_word_said_twice_is_one_that_may_not_be():
    captions = [("a", "bed", "on", "a", "bed"), ("a", "dog", "on", "a", "bed"), (), ("bed", "bed", "bed")]
    assert share_repeating(captions, {"a", "on"}) == 0.5
    assert share_repeating(captions, {"a", "on", "bed"}) == 0


def test_decoding_in_batches_is_the_search_of_each_photo():
    torch.manual_seed(0)
    vocabulary = Vocabulary.build([["a", "b", "c", "d"]])
    decoder = Decoder(DecoderConfig(len(vocabulary), 5, 4, 6, 3)).eval()
    features, settings = torch.randn(5, 6, 5) * 3, SearchSettings(beam_size=3, max_length=6)
    together = decode(decoder, features.split(2), vocabulary, settings)
    for photo, caption in zip(features, together, strict=True):
        *_, (snapshot,) = search(decoder, decoder.annotate(photo[None]), vocabulary, settings)
        assert tuple(vocabulary.decode(snapshot.leader.tokens)) == caption


def test_each_photo_is_drawn_with_a_seed_of_its_own_however_they_are_batched():
    torch.manual_seed(0)
    vocabulary = Vocabulary.build([["a", "b", "c", "d"]])
    decoder = Decoder(DecoderConfig(len(vocabulary), 5, 4, 6, 3)).eval()
    features, last = torch.randn(1, 6, 5).expand(40, -1, -1), 2**32 - 1  # one photo, forty times
    settings = SearchSettings(beam_size=1, temperature=1, seed=last, max_length=6)
    drawn = decode(decoder, features.split(7), vocabulary, settings)
    assert drawn == decode(decoder, features.split(40), vocabulary, settings)
    assert len(set(drawn)) > 10
    for seed, caption in zip([last, 0, 1, 2], drawn, strict=False):  # after the last seed comes the first
        alone = SearchSettings(beam_size=1, temperature=1, seed=seed, max_length=6)
        *_, (snapshot,) = search(decoder, decoder.annotate(features[:1]), vocabulary, alone)
        assert tuple(vocabulary.decode(snapshot.leader.tokens)) == caption
