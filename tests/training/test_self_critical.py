import math

import numpy as np
import pytest
import torch
from pycocoevalcap.cider.cider import Cider

from captioner.decoder import Decoder, DecoderConfig
from captioner.training.karpathy import Example
from captioner.training.self_critical import CiderReward, SelfCritic, advantages, draw_captions
from captioner.vocabulary import END, Vocabulary

TEXTS = (("a dog runs", "the dog is running"), ("a cat sits", "one cat on a sofa"), ("two men play", "men on grass"))
EXAMPLES = [
    Example(f"{number}.jpg", "train", tuple(tuple(text.split()) for text in texts))
    for number, texts in enumerate(TEXTS)
]


@pytest.fixture
def vocabulary():
    return Vocabulary.build(caption for example in EXAMPLES for caption in example.captions)


@pytest.fixture
def decoder(vocabulary):
    torch.manual_seed(0)
    return Decoder(DecoderConfig(len(vocabulary), 5, 4, 6, 3)).eval()


def test_over_a_whole_corpus_the_reward_is_cider():
    captions = [("a", "dog", "sits", END), ("a", "cat", "sits", END), ("two", "dogs", END)]
    rewards = CiderReward(EXAMPLES)(captions, [0, 1, 2])
    truth = {n: [f"{' '.join(tokens)} {END}" for tokens in each.captions] for n, each in enumerate(EXAMPLES)}
    _, expected = Cider().compute_score(truth, {n: [" ".join(caption)] for n, caption in enumerate(captions)})
    np.testing.assert_allclose(rewards, expected)


def test_a_reward_does_not_depend_on_the_rest_of_the_batch():
    reward = CiderReward(EXAMPLES)
    alone = reward([("a", "cat", "sits", END)], [1])
    together = reward([("two", "dogs", END), ("a", "cat", "sits", END), ("a", "cat", END)], [2, 1, 1])
    assert together[1] == alone[0]


def test_advantage_is_over_the_mean_of_the_siblings():
    found = advantages(torch.tensor([3.0, 0.0, 0.0, 1.0, 1.0, 1.0]), samples=3)
    assert found.tolist() == [3.0, -1.5, -1.5, 0.0, 0.0, 0.0]


def test_drawn_captions_follow_the_models_distribution(decoder, vocabulary):
    torch.manual_seed(1)
    features = torch.randn(1, 6, 5)
    captions, lengths = draw_captions(decoder, features, vocabulary, samples=4000)
    step = decoder.step(
        annotations := decoder.annotate(features), decoder.start(annotations), torch.tensor([vocabulary.start])
    )
    logits = step.logits.detach().clone()
    logits[:, list(vocabulary.never_written)] = -math.inf
    expected = logits.softmax(1)[0].numpy()
    found = np.bincount(captions[:, 1].numpy(), minlength=len(vocabulary)) / 4000
    assert np.abs(found - expected).max() < 4 * math.sqrt(0.25 / 4000)
    for caption, length in zip(captions[:50].tolist(), lengths[:50].tolist(), strict=True):
        assert vocabulary.end in caption[: int(length)] or length == captions.shape[1]
        assert set(caption[int(length) :]) <= {vocabulary.pad}


def test_the_loss_is_the_weighted_log_likelihood_of_the_step_loop(decoder, vocabulary):
    critic = SelfCritic(EXAMPLES, vocabulary, samples=2)
    features = torch.randn(2, 6, 5)
    start, end = vocabulary.start, vocabulary.end
    captions = torch.tensor([[start, 1, 2, end], [start, 3, end, 0], [start, end, 0, 0], [start, 4, 5, end]])
    lengths, advantage = torch.tensor([4, 3, 2, 4]), torch.tensor([0.5, -1.0, 2.0, 0.25])
    terms = []
    for row in range(4):
        annotations = decoder.annotate(features[row // 2][None])
        state = decoder.start(annotations)
        for position in range(int(lengths[row]) - 1):
            step = decoder.step(annotations, state, captions[row, position][None])
            state = step.state
            log_prob = step.logits.log_softmax(1)[0, captions[row, position + 1]].item()
            terms.append(-advantage[row].item() * log_prob)
    loss = critic.loss(decoder(features, captions, lengths), advantage, 0.0)
    assert loss.total.item() == pytest.approx(np.mean(terms), rel=1e-5)


def test_one_sample_has_no_siblings(vocabulary):
    with pytest.raises(ValueError, match="at least 2"):
        SelfCritic(EXAMPLES, vocabulary, samples=1)
