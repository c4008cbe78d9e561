import math

import numpy as np
import pytest
import torch
from pycocoevalcap.bleu.bleu import Bleu
from pycocoevalcap.cider.cider import Cider

from captioner.decoder import Decoder, DecoderConfig
from captioner.training.batches import Batch, pad_captions
from captioner.training.karpathy import Example
from captioner.training.objective import ObjectiveConfig, Regions, objective
from captioner.training.self_critical import Drawn, Reward, SelfCritic, advantages, draw_captions
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
    rewards = Reward(EXAMPLES)(captions, [0, 1, 2])
    truth = {n: [f"{' '.join(tokens)} {END}" for tokens in each.captions] for n, each in enumerate(EXAMPLES)}
    _, expected = Cider().compute_score(truth, {n: [" ".join(caption)] for n, caption in enumerate(captions)})
    np.testing.assert_allclose(rewards, expected)


def test_bleu_counts_as_much_as_it_is_weighed():
    captions = [("a", "dog", "runs", END), ("one", "cat", "on", "a", END), ("two", "men", "on", "grass", END)]
    truth = {n: [f"{' '.join(tokens)} {END}" for tokens in each.captions] for n, each in enumerate(EXAMPLES)}
    _, of_each = Bleu(4).compute_score(truth, {n: [" ".join(c)] for n, c in enumerate(captions)}, verbose=0)
    plain, mixed = (Reward(EXAMPLES, weight)(captions, [0, 1, 2]) for weight in (0.0, 2.5))
    assert max(of_each[-1]) > 0.5
    np.testing.assert_allclose(mixed - plain, 2.5 * np.array(of_each[-1]), atol=1e-12)


def test_a_reward_does_not_depend_on_the_rest_of_the_batch():
    reward = Reward(EXAMPLES)
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


def test_the_loss_weighs_drawn_words_by_advantage_and_references_by_the_objective(decoder, vocabulary):
    critic = SelfCritic(EXAMPLES, vocabulary, samples=2)
    features = torch.randn(2, 6, 5)
    start, end = vocabulary.start, vocabulary.end
    captions = torch.tensor([[start, 1, 2, end], [start, 3, end, 0], [start, end, 0, 0], [start, 4, 5, end]])
    drawn = Drawn(captions, torch.tensor([4, 3, 2, 4]), torch.zeros(4), torch.tensor([0.5, -1.0, 2.0, 0.25]))
    references, lengths = torch.tensor([[start, 6, 7, 8, end], [start, 9, end, 0, 0]]), torch.tensor([5, 3])
    regions = Regions(torch.tensor([1]), torch.tensor([0]), torch.tensor([[1.0, 0, 0, 0, 0, 1.0]]))
    config = ObjectiveConfig(label_smoothing=0.0, doubly_stochastic=0.7, region=0.4)
    batch = Batch(features, references, lengths, regions, (0, 1))
    loss = critic.loss(decoder(features, *critic.with_references(drawn, batch)), drawn, batch, 0.3, config)

    own = [step_log_probs(decoder, features[row // 2], captions[row], drawn.lengths[row]) for row in range(4)]
    policy = -np.mean([drawn.advantages[row].item() * each for row, words in enumerate(own) for each in words])
    anchor = objective(decoder(features, references, lengths), config, regions)
    assert loss.words.item() == pytest.approx(policy, rel=1e-5)
    assert loss.total.item() == pytest.approx(policy + 0.3 * anchor.total.item(), rel=1e-5)
    assert loss.region.item() == pytest.approx(0.3 * anchor.region.item(), rel=1e-5)


def step_log_probs(decoder, features, caption, length):
    annotations = decoder.annotate(features[None])
    state = decoder.start(annotations)
    for position in range(int(length) - 1):
        step = decoder.step(annotations, state, caption[position][None])
        state = step.state
        yield step.logits.log_softmax(1)[0, caption[position + 1]].item()


def test_following_the_loss_earns_more(decoder, vocabulary):
    critic = SelfCritic(EXAMPLES, vocabulary, samples=8)
    features = torch.randn(3, 6, 5)
    references, lengths = pad_captions([vocabulary.encode(each.captions[0]) for each in EXAMPLES], vocabulary.pad)
    batch = Batch(features, references, lengths, None, (0, 1, 2))
    optimizer = torch.optim.Adam(decoder.parameters(), lr=0.02)
    torch.manual_seed(0)
    rewards = []
    for _ in range(60):
        drawn = critic.draw(decoder, features, batch.photos)
        forced = decoder(features, *critic.with_references(drawn, batch))
        optimizer.zero_grad()
        critic.loss(forced, drawn, batch, 0.0, ObjectiveConfig()).total.backward()
        optimizer.step()
        rewards.append(drawn.rewards.mean().item())
    assert np.mean(rewards[-10:]) > 2 * np.mean(rewards[:10])


def test_one_sample_has_no_siblings(vocabulary):
    with pytest.raises(ValueError, match="at least 2"):
        SelfCritic(EXAMPLES, vocabulary, samples=1)
