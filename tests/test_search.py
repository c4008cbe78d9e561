"""Search against brute force: every caption of a tiny model is enumerated with single decoder steps."""

import itertools
import math
import threading
from dataclasses import FrozenInstanceError, replace
from fractions import Fraction

import numpy as np
import pytest
import torch
from scipy.special import log_softmax
from scipy.stats import chi2
from tiny import make_annotations, make_decoder, make_features, make_vocabulary

from captioner.attention import Annotations
from captioner.decoder import DecoderStep
from captioner.hypotheses import Beam, Hypothesis, rank
from captioner.search import SearchSettings, SettingsError, search
from captioner.strategies import BeamSearch, StochasticBeamSearch, conditional_gumbels, highest, tempered

WORDS = make_vocabulary("a", "b")
MORE_WORDS = make_vocabulary("a", "b", "c", "d")
MAX_LENGTH = 3


def final(decoder, annotations, vocabulary=WORDS, prefix=(), **settings):
    """The last snapshot of each photo."""
    *_, last = search(
        decoder, annotations, vocabulary, SearchSettings(**{"max_length": MAX_LENGTH, **settings}), prefix
    )
    return last


@torch.no_grad()
def enumerate_captions(decoder, annotations, vocabulary, max_length=MAX_LENGTH, temperature=1.0):
    """Every caption up to ``max_length`` → its log-probability, plain and tempered; one row at a time."""
    captions = {}

    def grow(tokens, state, log_prob, phi):
        if len(tokens) == max_length or vocabulary.end in tokens:
            captions[tokens] = (log_prob, phi)
            return
        step = decoder.step(annotations, state, torch.tensor([(vocabulary.start, *tokens)[-1]]))
        logits = step.logits[0].double().numpy()
        allowed = [token for token in range(len(vocabulary)) if token not in vocabulary.never_written]
        model, drawn = log_softmax(logits), log_softmax(logits[allowed] / temperature)
        for place, token in enumerate(allowed):
            grow((*tokens, token), step.state, log_prob + model[token], phi + drawn[place])

    grow((), decoder.start(annotations), 0.0, 0.0)
    return captions


def finished_only(captions, vocabulary=WORDS):
    return {tokens: values for tokens, values in captions.items() if tokens[-1] == vocabulary.end}


# --- deterministic search ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("penalty", [0.0, 0.7, 1.5])
@pytest.mark.parametrize("seed", range(8))
def test_full_width_beam_is_the_exhaustive_best(seed, penalty):
    decoder = make_decoder(len(WORDS), seed)
    annotations = make_annotations(decoder, seed=seed)
    captions = finished_only(enumerate_captions(decoder, annotations, WORDS))
    (snapshot,) = final(decoder, annotations, beam_size=20, length_penalty=penalty)
    order = sorted(captions, key=lambda tokens: captions[tokens][0] / len(tokens) ** penalty, reverse=True)
    assert [each.tokens for each in snapshot.hypotheses] == order
    np.testing.assert_allclose(
        [each.log_prob for each in snapshot.hypotheses], [captions[tokens][0] for tokens in order], atol=1e-5
    )


@pytest.mark.parametrize("seed", range(8))
def test_narrow_beam_is_the_textbook_algorithm(seed):
    """Against a list-based beam search over the enumerated log-probabilities of all beginnings."""
    decoder, size, length = make_decoder(len(MORE_WORDS), seed, sharpness=3), 1 + seed % 4, 4
    annotations = make_annotations(decoder, seed=seed)
    beginnings = {}
    for stop in range(1, length + 1):
        beginnings |= enumerate_captions(decoder, annotations, MORE_WORDS, stop)
    live, done = [()], []
    for _ in range(length):
        longer = [tokens for tokens in beginnings if tokens[:-1] in live]
        longer.sort(key=lambda tokens: beginnings[tokens][0], reverse=True)
        kept = longer[: size - len(done)]
        done += [tokens for tokens in kept if tokens[-1] == MORE_WORDS.end]
        live = [tokens for tokens in kept if tokens[-1] != MORE_WORDS.end]
    expected = sorted(done or live, key=lambda tokens: beginnings[tokens][0], reverse=True)
    (snapshot,) = final(decoder, annotations, MORE_WORDS, beam_size=size, max_length=length)
    assert [each.tokens for each in snapshot.hypotheses] == expected


@pytest.mark.parametrize("seed", range(10))
@torch.no_grad()
def test_beam_of_one_is_greedy(seed):
    decoder = make_decoder(len(MORE_WORDS), seed, sharpness=3)
    annotations = make_annotations(decoder, seed=seed)
    state, tokens = decoder.start(annotations), [MORE_WORDS.start]
    while len(tokens) < 9 and tokens[-1] != MORE_WORDS.end:
        step = decoder.step(annotations, state, torch.tensor(tokens[-1:]))
        logits = step.logits[0].clone()
        logits[list(MORE_WORDS.never_written)] = -torch.inf
        tokens.append(int(logits.argmax()))
        state = step.state
    (snapshot,) = final(decoder, annotations, MORE_WORDS, beam_size=1, max_length=8)
    assert list(snapshot.leader.tokens) == tokens[1:]


def test_length_penalty_ranks_as_its_formula_says():
    decoder = make_decoder(len(WORDS), 3, sharpness=1.0)
    annotations = make_annotations(decoder)
    leaders = set()
    for penalty in (0.0, 0.5, 1.0, 5.0):
        (snapshot,) = final(decoder, annotations, beam_size=20, length_penalty=penalty)
        values = [each.log_prob / len(each.tokens) ** penalty for each in snapshot.hypotheses]
        assert values == sorted(values, reverse=True)
        leaders.add(snapshot.leader.tokens)
    assert len(leaders) > 1, "the penalty must be able to change the winner"
    assert rank(-6.0, 4, 0.5) == -3.0


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_finished_caption_that_says_a_content_word_twice_comes_after_all_that_do_not(temperature):
    changed = set()
    for seed in range(12):
        decoder = make_decoder(len(WORDS), seed, sharpness=1.0)
        annotations = make_annotations(decoder)
        asked = {"beam_size": 20, "temperature": temperature, "seed": seed, "max_length": 4, "length_penalty": 3}
        (plain,) = final(decoder, annotations, **asked)
        (ranked,) = final(decoder, annotations, may_repeat=frozenset({"a"}), **asked)
        twice = [each.tokens.count(WORDS.encode(["b"])[1]) > 1 for each in ranked.hypotheses]
        assert twice == sorted(twice)
        assert {each.tokens for each in plain.hypotheses} == {each.tokens for each in ranked.hypotheses}
        for part in (True, False):  # among themselves, both keep the order that they had
            kept = [each.tokens for each, is_twice in zip(ranked.hypotheses, twice, strict=True) if is_twice == part]
            assert kept == [each.tokens for each in plain.hypotheses if each.tokens in kept]
        changed.add(plain.leader.tokens != ranked.leader.tokens)
    assert True in changed, "the preference must be able to change the winner"


def test_an_unfinished_guess_is_ranked_by_its_rank_alone():
    decoder = make_decoder(len(WORDS), 3, sharpness=1.0)
    settings = SearchSettings(3, max_length=3, may_repeat=frozenset())
    prefix = WORDS.encode(["b", "b"])[1:-1]
    for (snapshot,) in search(
        decoder, make_annotations(decoder), WORDS, replace(settings, may_repeat=frozenset({"a"})), prefix
    ):
        if not any(each.finished for each in snapshot.hypotheses):
            values = [rank(each.log_prob, len(each.tokens), 0) for each in snapshot.hypotheses]
            assert values == sorted(values, reverse=True)


# --- the drawn corners ------------------------------------------------------------------------------------------


def draw(decoder, annotations, draws, **settings):
    return [final(decoder, annotations, seed=seed, **settings)[0] for seed in range(draws)]


def chi_square(counts, probabilities, draws):
    """Pearson's statistic and its degrees of freedom, rare captions merged."""
    rare = [key for key, value in probabilities.items() if value * draws < 5]
    cells = [(counts.get(key, 0), value * draws) for key, value in probabilities.items() if key not in rare]
    if rare:
        cells.append((sum(counts.get(key, 0) for key in rare), sum(probabilities[key] for key in rare) * draws))
    return sum((seen - expected) ** 2 / max(expected, 1e-9) for seen, expected in cells), len(cells) - 1


@pytest.mark.parametrize("temperature", [0.6, 1.8])
def test_beam_of_one_samples_the_tempered_model(temperature):
    decoder, draws = make_decoder(len(WORDS), 1, sharpness=1.5), 1000
    annotations = make_annotations(decoder)
    counts = {}
    for snapshot in draw(decoder, annotations, draws, beam_size=1, temperature=temperature):
        (only,) = snapshot.hypotheses
        counts[only.tokens] = counts.get(only.tokens, 0) + 1
    exact = enumerate_captions(decoder, annotations, WORDS, temperature=temperature)
    probabilities = {tokens: math.exp(phi) for tokens, (_, phi) in exact.items()}
    assert sum(probabilities.values()) == pytest.approx(1)
    assert set(counts) <= set(probabilities)
    statistic, freedom = chi_square(counts, probabilities, draws)
    assert statistic < chi2.ppf(1 - 1e-4, freedom)
    wrong = enumerate_captions(decoder, annotations, WORDS, temperature=temperature * 2)
    statistic, freedom = chi_square(counts, {tokens: math.exp(phi) for tokens, (_, phi) in wrong.items()}, draws)
    assert statistic > chi2.ppf(1 - 1e-4, freedom), "the test must notice a wrong temperature"


def inclusion(probabilities, size):
    """Exact probability that each caption is among ``size`` drawn one after another without replacement."""
    included = dict.fromkeys(probabilities, 0.0)
    for drawn in itertools.permutations(probabilities, size):
        chance, left = 1.0, 1.0
        for tokens in drawn:
            chance *= probabilities[tokens] / left
            left -= probabilities[tokens]
        for tokens in drawn:
            included[tokens] += chance
    return included


@pytest.mark.parametrize(("size", "temperature"), [(2, 0.6), (3, 1.5)])
@pytest.mark.slow
def test_stochastic_beam_draws_without_replacement(size, temperature):
    decoder, draws = make_decoder(len(WORDS), 2, sharpness=1.5), 1000
    annotations = make_annotations(decoder)
    exact = enumerate_captions(decoder, annotations, WORDS, temperature=temperature)
    expected = inclusion({tokens: math.exp(phi) for tokens, (_, phi) in exact.items()}, size)
    assert sum(expected.values()) == pytest.approx(size)
    counts = dict.fromkeys(exact, 0)
    for snapshot in draw(decoder, annotations, draws, beam_size=size, temperature=temperature):
        drawn = [each.tokens for each in snapshot.hypotheses]
        assert len(set(drawn)) == len(drawn) <= size
        for tokens in drawn:
            counts[tokens] += 1
    for tokens in finished_only(exact):  # unfinished ones are left out of a result that has finished ones
        deviation = math.sqrt(draws * expected[tokens] * (1 - expected[tokens]))
        assert abs(counts[tokens] - draws * expected[tokens]) < 4.5 * deviation + 1e-6


def test_pairs_are_drawn_with_their_exact_probabilities():
    """The strategy alone, on one step: which two of four words are drawn."""
    log_probs = np.log([[0.5, 0.3, 0.15, 0.05]])
    random, draws = np.random.default_rng(0), 10_000
    counts = {}
    for _ in range(draws):
        chosen = StochasticBeamSearch(2, 1.0).select(Beam(), log_probs, random.random((1, 4)))
        pair = tuple(candidate.token for candidate in chosen)
        counts[pair] = counts.get(pair, 0) + 1
    p = np.exp(log_probs[0])
    exact = {(i, j): p[i] * p[j] / (1 - p[i]) for i, j in itertools.permutations(range(4), 2)}
    statistic, freedom = chi_square(counts, exact, draws)
    assert statistic < chi2.ppf(1 - 1e-4, freedom)


def test_conditional_gumbels_have_the_given_maximum_and_the_truncated_distribution():
    phi, maximum = np.log([0.6, 0.3, 0.1]), 0.4
    uniform = np.random.default_rng(0).uniform(size=(5000, 3))
    keys = np.array([conditional_gumbels(phi, maximum, row) for row in uniform])
    np.testing.assert_allclose(keys.max(axis=1), maximum)
    # Given that 0 has the maximum, the key of 1 is Gumbel(phi_1) truncated at it (Kool et al. 2019, section 4.3).
    others = np.sort(keys[keys.argmax(axis=1) == 0, 1])
    cdf = np.exp(np.exp(phi[1] - maximum) - np.exp(phi[1] - others))
    empirical = (np.arange(len(others)) + 0.5) / len(others)
    assert np.abs(cdf - empirical).max() < 1.95 / math.sqrt(len(others))  # Kolmogorov, about 1e-3


@pytest.mark.parametrize("temperature", [5e-324, 1e-300, 1e-6])
def test_a_tiny_temperature_is_greedy(temperature):
    decoder = make_decoder(len(MORE_WORDS), 4, sharpness=3)
    annotations = make_annotations(decoder)
    (greedy,) = final(decoder, annotations, MORE_WORDS, beam_size=1)
    (drawn,) = final(decoder, annotations, MORE_WORDS, beam_size=1, temperature=temperature)
    assert drawn.leader.tokens == greedy.leader.tokens


def test_tempered_is_the_softmax_of_the_divided_logits():
    logits = np.random.default_rng(0).normal(size=7) * 5
    np.testing.assert_allclose(tempered(log_softmax(logits), 0.3), log_softmax(logits / 0.3), atol=1e-12)


@pytest.mark.parametrize("settings", [{"beam_size": 3}, {"beam_size": 3, "temperature": 0.5}, {"temperature": 2.0}])
def test_reported_log_probs_are_the_models_own(settings):
    decoder = make_decoder(len(WORDS), 5)
    annotations = make_annotations(decoder)
    exact = enumerate_captions(decoder, annotations, WORDS)
    for seed in range(20):
        for each in final(decoder, annotations, seed=seed, **settings)[0].hypotheses:
            assert each.log_prob == pytest.approx(exact[each.tokens][0], abs=1e-5)
            assert each.log_prob == pytest.approx(sum(step.log_prob for step in each.steps), abs=1e-9)


@pytest.mark.parametrize("beginning", [(), ("b",)])
def test_phi_is_the_tempered_log_probability_of_what_was_drawn(beginning):
    decoder = make_decoder(len(WORDS), 5)
    annotations = make_annotations(decoder)
    prefix = tuple(WORDS.id(word) for word in beginning)
    exact = enumerate_captions(decoder, annotations, WORDS, temperature=0.7)
    begun = enumerate_captions(decoder, annotations, WORDS, len(prefix), 0.7)[prefix][1]
    for seed in range(5):
        (snapshot,) = final(decoder, annotations, WORDS, prefix, beam_size=3, temperature=0.7, seed=seed)
        for each in snapshot.hypotheses:
            assert each.phi == pytest.approx(exact[each.tokens][1] - begun, abs=1e-5)


def test_same_seed_bit_for_bit_and_other_seeds_differ():
    decoder = make_decoder(len(MORE_WORDS), 6, sharpness=1.5)
    annotations = make_annotations(decoder)

    def result(seed):
        (snapshot,) = final(decoder, annotations, MORE_WORDS, beam_size=3, temperature=1.0, seed=seed, max_length=8)
        return [
            (each.tokens, each.log_prob, [step.alpha.tobytes() for step in each.steps]) for each in snapshot.hypotheses
        ]

    assert result(11) == result(11)
    assert len({tuple(tokens for tokens, *_ in result(seed)) for seed in range(8)}) > 4


# --- all four corners -------------------------------------------------------------------------------------------

CORNERS = [(1, 0.0), (1, 1.0), (4, 0.0), (4, 1.0)]


def assert_same(ours, theirs):
    assert ours.done == theirs.done
    assert [each.tokens for each in ours.hypotheses] == [each.tokens for each in theirs.hypotheses]
    for our, their in zip(ours.hypotheses, theirs.hypotheses, strict=True):
        for one, other in zip(our.steps, their.steps, strict=True):
            np.testing.assert_allclose(one.alpha, other.alpha, atol=1e-5)
            assert (one.log_prob, one.beta) == pytest.approx((other.log_prob, other.beta), abs=1e-4)


@torch.no_grad()
@pytest.mark.parametrize(("beam_size", "temperature"), CORNERS)
@pytest.mark.parametrize("gate", ["scalar", "feature"])
def test_batched_photos_equal_single_ones(beam_size, temperature, gate):
    decoder = make_decoder(len(MORE_WORDS), 2, sharpness=2.5, gate=gate)
    decoder.output.words.bias[MORE_WORDS.end] += 1
    annotations = decoder.annotate(3 * make_features(photos=6))
    settings = SearchSettings(beam_size, temperature, max_length=7)
    batch = list(search(decoder, annotations, MORE_WORDS, settings))
    ends = set()
    for photo in range(6):
        alone = Annotations(*(part[photo : photo + 1] for part in annotations))
        single = list(search(decoder, alone, MORE_WORDS, settings))
        ends.add(len(single))
        for ours, theirs in itertools.zip_longest(batch, single, fillvalue=single[-1]):
            assert_same(ours[photo], theirs[0])
    assert len(ends) > 1, "the photos must finish at different times to test their bookkeeping"


@pytest.mark.parametrize(("beam_size", "temperature"), CORNERS)
def test_every_step_is_what_the_decoder_computes_for_those_words(beam_size, temperature):
    """Maps, gates and runners-up follow the winner: replayed word by word through the decoder."""
    decoder = make_decoder(len(MORE_WORDS), 8, sharpness=2)
    annotations = make_annotations(decoder)
    (snapshot,) = final(decoder, annotations, MORE_WORDS, beam_size=beam_size, temperature=temperature, max_length=6)
    for hypothesis in snapshot.hypotheses:
        state, word = decoder.start(annotations), MORE_WORDS.start
        for step in hypothesis.steps:
            with torch.no_grad():
                fresh = decoder.step(annotations, state, torch.tensor([word]))
            np.testing.assert_allclose(step.alpha, fresh.alpha[0], atol=1e-5)
            assert step.alpha.sum() == pytest.approx(1, abs=1e-5)
            assert step.beta == pytest.approx(fresh.beta.mean().item(), abs=1e-5)
            chances = fresh.logits[0].softmax(0)
            allowed = [token for token in range(len(MORE_WORDS)) if token not in MORE_WORDS.never_written]
            likeliest = sorted(allowed, key=lambda token: -float(chances[token]))[:5]
            assert [token for token, _ in step.alternatives] == likeliest
            np.testing.assert_allclose([chance for _, chance in step.alternatives], chances[likeliest], atol=1e-5)
            state, word = fresh.state, step.token


@pytest.mark.parametrize(("beam_size", "temperature"), CORNERS)
def test_special_words_are_never_written(beam_size, temperature):
    decoder = make_decoder(len(WORDS), 9)
    words = decoder.output.words
    with torch.no_grad():  # the model would like to write nothing else
        words.bias[list(WORDS.never_written)] += 50
    annotations = make_annotations(decoder, photos=3)
    for seed in range(5):
        for snapshot in final(decoder, annotations, beam_size=beam_size, temperature=temperature, seed=seed):
            for each in snapshot.hypotheses:
                assert not set(each.tokens) & set(WORDS.never_written)
                for step in each.steps:
                    assert not {token for token, _ in step.alternatives} & set(WORDS.never_written)


@pytest.mark.parametrize(("beam_size", "temperature"), CORNERS)
def test_unfinished_at_the_length_limit(beam_size, temperature):
    decoder = make_decoder(len(WORDS), 10)
    with torch.no_grad():
        decoder.output.words.bias[WORDS.end] = -math.inf
    (snapshot,) = final(decoder, make_annotations(decoder), beam_size=beam_size, temperature=temperature, max_length=4)
    assert snapshot.done
    assert len({each.tokens for each in snapshot.hypotheses}) == beam_size
    assert all(not each.finished and len(each.tokens) == 4 for each in snapshot.hypotheses)


@pytest.mark.parametrize(("beam_size", "temperature"), CORNERS)
def test_forced_beginning(beam_size, temperature):
    decoder = make_decoder(len(MORE_WORDS), 11, sharpness=1.5)
    annotations = make_annotations(decoder, photos=2)
    prefix = [MORE_WORDS.id("d"), MORE_WORDS.id("a")]
    settings = {"beam_size": beam_size, "temperature": temperature, "max_length": 5}
    for snapshot in final(decoder, annotations, MORE_WORDS, prefix, **settings):
        for each in snapshot.hypotheses:
            assert list(each.tokens[:2]) == prefix
    exact = enumerate_captions(decoder, make_annotations(decoder), MORE_WORDS, 5)
    alone = final(decoder, make_annotations(decoder), MORE_WORDS, prefix, **settings)[0]
    for each in alone.hypotheses:
        assert each.log_prob == pytest.approx(exact[each.tokens][0], abs=1e-4)


def test_full_width_beam_after_a_beginning_is_the_best_with_that_beginning():
    decoder = make_decoder(len(WORDS), 12)
    annotations, first = make_annotations(decoder), WORDS.id("b")
    captions = finished_only(enumerate_captions(decoder, annotations, WORDS, 4))
    best = max((tokens for tokens in captions if tokens[0] == first), key=lambda tokens: captions[tokens][0])
    assert final(decoder, annotations, WORDS, [first], beam_size=20, max_length=4)[0].leader.tokens == best


def test_a_whole_sentence_as_beginning_ends_the_search_there():
    decoder = make_decoder(len(WORDS), 13)
    sentence = [WORDS.id("b"), WORDS.id("<unk>"), WORDS.id("a"), WORDS.end]
    snapshots = list(search(decoder, make_annotations(decoder), WORDS, SearchSettings(max_length=2), sentence))
    assert len(snapshots) == 4
    assert snapshots[-1][0].leader.tokens == tuple(sentence)
    assert snapshots[-1][0].leader.finished
    assert [snapshot[0].done for snapshot in snapshots] == [False, False, False, True]


def test_snapshots_count_up_and_only_the_last_is_done():
    decoder = make_decoder(len(MORE_WORDS), 14, sharpness=1.5)
    snapshots = list(search(decoder, make_annotations(decoder), MORE_WORDS, SearchSettings(3, max_length=6)))
    for position, (snapshot,) in enumerate(snapshots, start=1):
        assert max(len(each.tokens) for each in snapshot.hypotheses) == position
        assert snapshot.done == (position == len(snapshots))


class Counted:
    """A decoder that notes how many rows each of its steps computes."""

    def __init__(self, decoder):
        self.decoder, self.start, self.rows = decoder, decoder.start, []

    def step(self, annotations, state, words, forced=None):
        self.rows.append(len(words))
        return self.decoder.step(annotations, state, words, forced)


@pytest.mark.parametrize(("beam_size", "temperature"), CORNERS)
def test_only_live_hypotheses_are_computed(beam_size, temperature):
    decoder = make_decoder(len(MORE_WORDS), 2, sharpness=2.5)
    decoder.output.words.bias.data[MORE_WORDS.end] += 1
    counted = Counted(decoder)
    settings = SearchSettings(beam_size, temperature, max_length=7)
    live = [1]
    for (snapshot,) in search(counted, make_annotations(decoder), MORE_WORDS, settings):
        assert counted.rows == live
        live.append(sum(not each.finished for each in snapshot.hypotheses))
    if beam_size > 1:
        assert 0 < min(live[1:-1]) < max(live), "some must finish before others to test this"


# --- odd models and odd callers ---------------------------------------------------------------------------------


class Table:
    """A stand-in for the decoder whose logits do not depend on anything."""

    def __init__(self, decoder, logits):
        self.decoder, self.logits, self.start = decoder, torch.tensor([logits]), decoder.start

    def step(self, annotations, state, words, forced=None):
        step = self.decoder.step(annotations, state, words, forced)
        return DecoderStep(self.logits.expand(len(words), -1), step.alpha, step.beta, step.state)


@pytest.mark.parametrize(("beam_size", "temperature"), CORNERS)
def test_a_model_that_can_only_write_special_words_gives_an_empty_unfinished_caption(beam_size, temperature):
    decoder = make_decoder(len(WORDS))
    table = Table(decoder, [0.0, -math.inf, -math.inf, 0.0, 0.0, -math.inf])
    settings = SearchSettings(beam_size, temperature, max_length=3, length_penalty=0.7)
    snapshots = list(search(table, make_annotations(decoder, 2), WORDS, settings))
    assert len(snapshots) == 1
    for snapshot in snapshots[0]:
        assert snapshot.done
        assert snapshot.leader.tokens == ()
        assert not snapshot.leader.finished


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_beam_wider_than_the_vocabulary_holds_what_there_is(temperature):
    decoder = make_decoder(len(WORDS))
    table = Table(decoder, [0.0, -math.inf, 1.0, 0.0, 0.0, 0.5])  # only b and <end> are possible
    (snapshot,) = final(table, make_annotations(decoder), beam_size=20, temperature=temperature)
    b, end = WORDS.id("b"), WORDS.end
    assert {each.tokens for each in snapshot.hypotheses} == {(end,), (b, end), (b, b, end)}


@pytest.mark.parametrize("temperature", [0.0, 1.0])
def test_a_model_that_computes_no_numbers_is_an_error_not_a_caption(temperature):
    decoder = make_decoder(len(WORDS))
    with torch.no_grad():
        decoder.output.words.weight.fill_(math.nan)
    with pytest.raises(FloatingPointError, match="intact checkpoint"):
        final(decoder, make_annotations(decoder), temperature=temperature)


def test_the_generator_may_be_advanced_by_any_thread_and_leaks_no_mode():
    decoder = make_decoder(len(MORE_WORDS), 15, sharpness=1.5)
    annotations = make_annotations(decoder)
    settings = SearchSettings(2, 1.0, max_length=6)
    expected = [snapshot[0].leader.tokens for snapshot in search(decoder, annotations, MORE_WORDS, settings)]
    seen, leaked = [], []

    def advance(generator):
        seen.append(next(generator)[0].leader.tokens)
        leaked.append(torch.is_inference_mode_enabled())

    generator = search(decoder, annotations, MORE_WORDS, settings)
    for _ in expected:
        thread = threading.Thread(target=advance, args=(generator,))
        thread.start()
        thread.join()
        leaked.append(torch.is_inference_mode_enabled())
    assert seen == expected
    assert not any(leaked)


def test_searches_interleave_without_touching_each_other():
    decoder = make_decoder(len(MORE_WORDS), 16, sharpness=1.5)
    annotations = make_annotations(decoder, photos=2)
    one, other = (Annotations(*(part[photo : photo + 1] for part in annotations)) for photo in range(2))
    settings = SearchSettings(3, 0.8, seed=3, max_length=6)

    def leaders(snapshots):
        return [snapshot[0].leader.tokens for snapshot in snapshots]

    expected = [leaders(search(decoder, each, MORE_WORDS, settings)) for each in (one, other)]
    races = [search(decoder, each, MORE_WORDS, settings) for each in (one, other)]
    turns = list(itertools.zip_longest(*races))
    assert [leaders(filter(None, side)) for side in zip(*turns, strict=True)] == expected


# --- settings ---------------------------------------------------------------------------------------------------

BAD = [
    *({"beam_size": value} for value in (0, -1, 21, 10_000, 1.5, 3.0, True, "3", None, math.nan, np.bool_(1), [1])),
    *({"temperature": value} for value in (-0.1, 10.5, math.nan, math.inf, -math.inf, True, "1", None, 1j, 10**400)),
    *({"seed": value} for value in (-1, 2**32, 0.0, False, "0", 10**5000)),
    *({"max_length": value} for value in (0, 61, 10_000, True, 5.0, "9")),
    *({"length_penalty": value} for value in (-0.1, 5.1, math.nan, math.inf, True, "1", Fraction(10**400))),
]


@pytest.mark.parametrize("settings", BAD, ids=lambda settings: next(iter(settings)))
def test_settings_that_make_no_sense_are_refused_in_one_line(settings):
    (name,) = settings
    with pytest.raises(SettingsError, match=f"^{name} must be a (whole )?number from [^\n]*$"):
        SearchSettings(**settings)


def test_numbers_of_numpy_become_pythons():
    settings = SearchSettings(np.int64(4), np.float32(0.5), np.uint32(7), np.int8(9), np.float64(1.0))
    assert settings == SearchSettings(4, 0.5, 7, 9, 1.0)
    assert [type(value) for value in (settings.beam_size, settings.temperature, settings.seed)] == [int, float, int]
    assert replace(settings, temperature=1).temperature == 1.0


def test_settings_and_strategies_are_frozen():
    for value in (SearchSettings(), BeamSearch(3), StochasticBeamSearch(3, 1.0)):
        with pytest.raises(FrozenInstanceError):
            value.size = value.beam_size = 5


def test_strategies_are_pure():
    """The same beam, numbers and noise give the same candidates, and nothing is changed."""
    log_probs = np.log(np.random.default_rng(0).dirichlet(np.ones(6), 2))
    noise = np.random.default_rng(1).random((2, 6))
    beam = Beam((Hypothesis(log_prob=-1.0, phi=-1.0, gumbel=0.3), Hypothesis(log_prob=-2.0, phi=-2.0, gumbel=-0.2)))
    copies = log_probs.copy(), noise.copy()
    for strategy in (BeamSearch(3), StochasticBeamSearch(3, 0.7)):
        assert strategy.select(beam, log_probs, noise) == strategy.select(beam, log_probs, noise)
    np.testing.assert_array_equal(log_probs, copies[0])
    np.testing.assert_array_equal(noise, copies[1])


def test_highest_takes_ties_in_order_and_no_impossible_ones():
    scores = np.array([[1.0, 3.0, -np.inf], [3.0, 2.0, 3.0]])
    assert highest(scores, 4) == [(0, 1), (1, 0), (1, 2), (1, 1)]
    assert highest(scores, 2) == [(0, 1), (1, 0)]
    assert len(highest(scores, 100)) == 5


@pytest.mark.parametrize("levels", [3, 12, 1_000_000])
def test_the_likeliest_of_each_row_choose_what_all_of_it_would(levels):
    """Few levels make many equal; some are impossible, some captions have ended, and a row can hold few words."""
    random, told, silent = np.random.default_rng(levels), 0, 0
    for _ in range(400):
        size, words, live = random.integers(1, 6), random.integers(2, 12), random.integers(1, 4)
        log_probs = -random.integers(1, levels, (live, words), endpoint=True) / levels
        log_probs[random.random((live, words)) < 0.2] = -np.inf
        finished = tuple(Hypothesis(finished=True) for _ in range(random.integers(0, size)))
        beam = Beam(tuple(Hypothesis(log_prob=-float(total)) for total in random.integers(0, 3, live)), finished)
        values, tokens = torch.from_numpy(log_probs).topk(min(size + 1, words))
        chosen = BeamSearch(size).select_likeliest(beam, tokens.tolist(), values.tolist())
        if chosen is None:
            silent += 1
            assert any(len({*row[row > -np.inf]}) < (row > -np.inf).sum() for row in values.numpy())
        else:
            told += 1
            assert chosen == BeamSearch(size).select(beam, log_probs, log_probs)
    assert told > 20
    assert silent > 20 or levels > 12
