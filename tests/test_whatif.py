"""What if? Against the paper's equations in plain NumPy, computed from the state dict on a 3×2 grid."""

import itertools
import math

import numpy as np
import pytest
import torch
from PIL import Image
from scipy.special import expit, log_softmax, logsumexp, softmax
from tiny import COLUMNS, FEATURES, ROWS, make_annotations, make_checkpoint, make_decoder, make_vocabulary

from captioner.attention import Annotations
from captioner.checkpoint import Checkpoint
from captioner.override import AttentionOverride, spot_map
from captioner.photo import PhotoError, PhotoFormat, hide, prepare
from captioner.pipeline import Captioner, Look
from captioner.search import SearchSettings, SettingsError, search
from captioner.settings import MAX_LENGTH

GRID = (ROWS, COLUMNS)
MARKUP = "<img src=x onerror=alert(1)>"
VOCABULARY = make_vocabulary("a", "dog", "runs", "t-shirt", MARKUP, "far", "away")
FORMS = [
    {"output": "deep", "gate": "scalar", "activation": "tanh"},
    {"output": "plain", "gate": "feature", "activation": "relu"},
]
CORNERS = [SearchSettings(size, heat, 5, max_length=6) for heat in (0.0, 1.0) for size in (1, 4)]
WORDS = ("a", "dog", MARKUP, "runs", "t-shirt", "<end>")
SOME = AttentionOverride({1: spot_map(GRID, 2, 1), 3: np.arange(6).reshape(GRID), 4: spot_map(GRID, 0, 0, 1)})
OVERRIDES = {"none": None, "some": SOME, "uniform": AttentionOverride.uniform(GRID)}


def make_captioner(seed=0, **forms):
    whole = make_checkpoint()
    decoder = make_decoder(len(VOCABULARY), seed, sharpness=3.0, **forms)
    return Captioner(Checkpoint(whole.encoder, decoder, VOCABULARY, whole.card))


def make_look(captioner, seed=0):
    return Look(Image.new("RGB", (40, 60)), make_annotations(captioner.decoder, seed=seed), GRID)


@pytest.fixture(scope="module", params=FORMS, ids=lambda forms: forms["output"])
def captioner(request):
    return make_captioner(**request.param)


@pytest.fixture(scope="module")
def look(captioner):
    return make_look(captioner)


def numpy_steps(captioner, look, words, override=None):
    """Every step of the decoder in float64, from the weights by name; equations 1 to 7 and 13."""
    weights = {name: value.double().numpy() for name, value in captioner.decoder.state_dict().items()}
    config, a = captioner.decoder.config, look.annotations.features[0].double().numpy()

    def linear(name, x):
        return x @ weights[f"{name}.weight"].T + weights.get(f"{name}.bias", 0)

    bend = {"tanh": np.tanh, "relu": lambda x: np.maximum(x, 0)}[config.activation]
    h, c = linear("initial_hidden", a.mean(0)), linear("initial_cell", a.mean(0))
    steps = []
    for position, previous in enumerate(["<start>", *words[:-1]]):
        mixed = bend(linear("attention.feature_projection", a) + linear("attention.hidden_projection", h))
        energies = linear("attention.energy", mixed)[:, 0]
        forced = override.at(position) if override else None
        alpha = softmax(energies) if forced is None else forced.ravel().astype(float)
        z, beta = alpha @ a, expit(linear("gate", h))
        embedded = weights["embedding.weight"][VOCABULARY.id(previous)]
        both = np.concatenate([embedded, beta * z])
        i, f, g, o = np.split(
            weights["lstm.weight_ih"] @ both
            + weights["lstm.bias_ih"]
            + weights["lstm.weight_hh"] @ h
            + weights["lstm.bias_hh"],
            4,
        )
        i, f, g, o = expit(i), expit(f), np.tanh(g), expit(o)
        c = f * c + i * g
        h = o * np.tanh(c)
        if config.output == "deep":
            inner = embedded + linear("output.hidden_projection", h) + linear("output.context_projection", beta * z)
            logits = linear("output.words", inner)
        else:
            logits = linear("output.words", h)
        steps.append(
            {"energies": energies, "alpha": alpha, "z": z, "beta": beta, "gates": (i, f, g, o), "logits": logits}
        )
    return steps


def close(ours, theirs, tolerance=2e-5):
    np.testing.assert_allclose(ours, theirs, rtol=1e-4, atol=tolerance)


def same(one, other, tolerance=0.0):
    assert one.words == other.words
    for part in ("log_probs", "alphas", "betas"):
        np.testing.assert_allclose(getattr(one, part), getattr(other, part), rtol=0, atol=tolerance)


# --- look elsewhere, no attention -------------------------------------------------------------------------------


@pytest.mark.parametrize("override", OVERRIDES.values(), ids=OVERRIDES)
def test_score_under_replaced_attention_is_the_equations(captioner, look, override):
    caption = captioner.score(look, WORDS, override)
    assert caption.words == WORDS
    for word, step in zip(caption, numpy_steps(captioner, look, WORDS, override), strict=True):
        close(word.alpha.ravel(), step["alpha"])
        close(word.beta, step["beta"].mean())
        close(word.log_prob, log_softmax(step["logits"])[VOCABULARY.id(word.text)], 1e-4)


@pytest.mark.parametrize("override", OVERRIDES.values(), ids=OVERRIDES)
def test_greedy_search_under_replaced_attention_takes_the_likeliest_words(captioner, look, override):
    caption = captioner.caption(look, SearchSettings(1, max_length=6), attention=override)
    for word, step in zip(caption, numpy_steps(captioner, look, caption.words, override), strict=True):
        step["logits"][list(VOCABULARY.never_written)] = -np.inf
        assert word.text == VOCABULARY.word(int(step["logits"].argmax()))
        close(word.alpha.ravel(), step["alpha"])


@pytest.mark.parametrize("settings", CORNERS, ids=str)
def test_uniform_attention_is_the_plain_mean(captioner, look, settings):
    """Against the same model on a photo whose every cell holds the mean: any attention then reads the mean."""
    features = look.annotations.features
    mean = Annotations(features.mean(dim=1, keepdim=True).expand_as(features), look.annotations.projected)
    plain = captioner.captions(Look(look.view, mean, GRID), settings)
    uniform = captioner.captions(look, settings, attention=AttentionOverride.uniform(GRID))
    assert [each.words for each in uniform] == [each.words for each in plain]
    for one, other in zip(uniform, plain, strict=True):
        close(one.log_probs, other.log_probs, 1e-4)
        np.testing.assert_allclose(one.alphas, 1 / 6, rtol=1e-6)


@pytest.mark.parametrize("cell", list(itertools.product(range(ROWS), range(COLUMNS))))
@torch.no_grad()
def test_attention_on_one_cell_reads_that_cell(captioner, look, cell):
    forced = AttentionOverride.spot(GRID, 0, *cell).tensor(0, torch.device("cpu"))
    hidden = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    attended = captioner.decoder.attention(look.annotations, hidden, forced)
    feature = look.annotations.features[0].reshape(*GRID, FEATURES)[cell]
    np.testing.assert_array_equal(attended.context, feature.expand(4, -1))


@pytest.mark.parametrize("settings", CORNERS, ids=str)
def test_the_models_own_maps_change_nothing(captioner, look, settings):
    own = captioner.captions(look, settings)[0]
    again = AttentionOverride(dict(enumerate(own.alphas)))
    same(captioner.score(look, own.words, again), captioner.score(look, own.words), tolerance=1e-5)
    greedy = captioner.caption(look, SearchSettings(1))
    same(
        captioner.caption(look, SearchSettings(1), attention=AttentionOverride(dict(enumerate(greedy.alphas)))),
        greedy,
        1e-5,
    )


@pytest.mark.parametrize("settings", CORNERS, ids=str)
def test_every_hypothesis_of_every_guess_reports_the_replaced_map(captioner, look, settings):
    spot = spot_map(GRID, 1, 1)
    own = list(captioner.stream(look, settings))
    for guess in captioner.stream(look, settings, attention=AttentionOverride({1: spot})):
        for caption in guess.captions:
            for word in list(caption)[1:2]:
                np.testing.assert_array_equal(word.alpha, spot)
            np.testing.assert_array_equal(caption.alphas[0], own[0].leader.alphas[0])


def test_a_forced_step_changes_itself_and_what_follows_only(captioner, look):
    own, forced = captioner.score(look, WORDS), captioner.score(look, WORDS, AttentionOverride.spot(GRID, 2, 0, 1))
    np.testing.assert_array_equal(forced.log_probs[:2], own.log_probs[:2])
    np.testing.assert_array_equal(forced.alphas[:2], own.alphas[:2])
    assert (np.abs(forced.log_probs[2:] - own.log_probs[2:]) > 1e-4).all()
    assert np.abs(forced.alphas[3:] - own.alphas[3:]).max((1, 2)).min() > 1e-5, "the next hidden states differ"


def test_photos_of_a_batch_are_overridden_as_single_ones(captioner):
    several = make_annotations(captioner.decoder, photos=3)
    *_, together = search(captioner.decoder, several, VOCABULARY, SearchSettings(3, 1.0, seed=2), (), SOME)
    for index, snapshot in enumerate(together):
        one = Annotations(*(part[index : index + 1] for part in several))
        *_, (alone,) = search(captioner.decoder, one, VOCABULARY, SearchSettings(3, 1.0, seed=2), (), SOME)
        assert [each.tokens for each in snapshot.hypotheses] == [each.tokens for each in alone.hypotheses]
        for ours, theirs in zip(snapshot.hypotheses, alone.hypotheses, strict=True):
            close(ours.log_prob, theirs.log_prob, 1e-4)


@pytest.mark.parametrize("position", range(len(WORDS)))
def test_before_and_after_one_word(captioner, look, position):
    override = AttentionOverride.spot(GRID, position, 2, 0)
    before, after = captioner.look_elsewhere(look, WORDS, position, override)
    assert before.text == after.text == WORDS[position]
    close(before.alpha, captioner.score(look, WORDS).alphas[position])
    np.testing.assert_array_equal(after.alpha, spot_map(GRID, 2, 0))
    shown = {each.word for each in before.alternatives}
    assert shown == {each.word for each in after.alternatives}
    for word, maps in ((before, None), (after, override)):
        logits = numpy_steps(captioner, look, WORDS[: position + 1], maps)[-1]["logits"]
        chances = dict(zip(VOCABULARY.word_map, softmax(logits), strict=True))
        close(word.probability, chances[word.text], 1e-5)
        for other in word.alternatives:
            close(other.probability, chances[other.word], 1e-5)
        writable = sorted(set(chances) - {"<pad>", "<unk>", "<start>"}, key=lambda each: -chances[each])
        assert shown >= set(writable[:5])
        assert [each.word for each in word.alternatives] == [each for each in writable if each in shown]


def test_before_is_what_score_reports(captioner, look):
    override = AttentionOverride.uniform(GRID)
    scored, uniform = captioner.score(look, WORDS), captioner.score(look, WORDS, override)
    for position in range(len(WORDS)):
        before, after = captioner.look_elsewhere(look, WORDS, position, override)
        assert before.log_prob == pytest.approx(float(scored.log_probs[position]), abs=1e-6)
        assert after.log_prob == pytest.approx(float(uniform.log_probs[position]), abs=1e-6)
        chances = dict(before.alternatives)
        for word, probability in scored.alternatives[position]:
            assert chances[word] == pytest.approx(probability, abs=1e-6)


# --- the override itself ----------------------------------------------------------------------------------------


def test_maps_are_normalised_copied_and_read_only():
    weights = np.array([[0, 1], [2, 3], [4, 0]])
    override = AttentionOverride({0: weights})
    weights[:] = 9
    np.testing.assert_allclose(override.at(0), np.array([[0, 1], [2, 3], [4, 0]]) / 10, rtol=1e-6)
    assert override.at(1) is None
    with pytest.raises(ValueError, match="read-only"):
        override.at(0)[0, 0] = 1
    with pytest.raises(TypeError):
        override.maps[1] = weights


@pytest.mark.parametrize("scale", [1e-320, 1e-30, 1e308])
def test_tiny_and_huge_weights_are_normalised_too(scale):
    np.testing.assert_allclose(AttentionOverride({0: np.full(GRID, scale)}).at(0), 1 / 6, rtol=1e-6)


def test_named_steps_come_before_the_rest():
    override = AttentionOverride({2: spot_map(GRID, 0, 0)}, otherwise=np.ones(GRID))
    assert override.at(2).max() == 1
    assert override.at(0).max() == override.at(50).max() == np.float32(1 / 6)


@pytest.mark.parametrize(
    ("radius", "cells"),
    [
        (0, [(1, 0)]),
        (0.9, [(1, 0)]),
        (1, [(0, 0), (1, 0), (1, 1), (2, 0)]),
        (1.5, list(itertools.product(range(3), range(2)))),
    ],
)
def test_a_spot_is_round(radius, cells):
    expected = np.zeros(GRID)
    for cell in cells:
        expected[cell] = 1 / len(cells)
    np.testing.assert_allclose(spot_map(GRID, 1, 0, radius), expected, rtol=1e-6)


@pytest.mark.parametrize("cell", [(0, 0), (2, 3), (3, 4)])
@pytest.mark.parametrize("radius", [0, 1.5, 2, 9])
def test_a_spot_holds_the_cells_within_its_radius(cell, radius):
    near = [[math.dist(cell, (row, column)) <= radius for column in range(5)] for row in range(4)]
    np.testing.assert_allclose(spot_map((4, 5), *cell, radius), np.array(near) / np.sum(near), rtol=1e-6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: AttentionOverride({0: np.zeros(GRID)}), "not zero everywhere"),
        (lambda: AttentionOverride({0: -np.eye(3)}), "not negative"),
        (lambda: AttentionOverride({0: [[1, np.nan]]}), "finite"),
        (lambda: AttentionOverride(otherwise=[[1, np.inf]]), "finite"),
        (lambda: AttentionOverride({0: np.ones(6)}), "rows and columns"),
        (lambda: AttentionOverride({0: np.ones((3, 0))}), "rows and columns"),
        (lambda: AttentionOverride({0: [[1], [1, 2]]}), "equal length"),
        (lambda: AttentionOverride({0: [["a"]]}), "numbers"),
        (lambda: AttentionOverride({0: [[1j]]}), "numbers"),
        (lambda: AttentionOverride({0: np.ones(GRID)}, np.ones((2, 3))), "one shape"),
        (lambda: AttentionOverride({-1: np.ones(GRID)}), "position"),
        (lambda: AttentionOverride({MAX_LENGTH: np.ones(GRID)}), "position must be .* from 0 to 59, got 60"),
        (lambda: AttentionOverride({True: np.ones(GRID)}), "position"),
        (lambda: AttentionOverride({"0": np.ones(GRID)}), "position"),
        (lambda: spot_map(GRID, 3, 0), "row must be a whole number from 0 to 2, got 3"),
        (lambda: spot_map(GRID, 0, -1), "column must be a whole number from 0 to 1, got -1"),
        (lambda: spot_map(GRID, 0, 0.5), "column"),
        (lambda: spot_map(GRID, 0, 0, -0.1), "radius"),
        (lambda: spot_map(GRID, 0, 0, np.nan), "radius"),
    ],
)
def test_overrides_that_make_no_sense(make, message):
    with pytest.raises(SettingsError, match=message):
        make()


def test_an_override_of_another_grid_is_refused_everywhere(captioner, look):
    turned = AttentionOverride.uniform((COLUMNS, ROWS))  # as many cells, so that only the shape can tell
    questions = [
        lambda: captioner.caption(look, attention=turned),
        lambda: captioner.score(look, "a dog", turned),
        lambda: captioner.look_elsewhere(look, WORDS, 0, turned),
        lambda: captioner.explain(look, WORDS, 0, turned),
    ]
    for question in questions:
        with pytest.raises(SettingsError, match="must be 3×2 cells, got 2×3"):
            question()


# --- another word -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", CORNERS, ids=str)
def test_any_word_can_be_gone_on_from(captioner, look, settings):
    """Runners-up among them, ``<end>``, and words that tokenising would split."""
    original = captioner.captions(look, settings)[0]
    for position, word in enumerate(original):
        chances = dict(word.alternatives)
        for other in set(VOCABULARY.word_map) - {"<pad>", "<unk>", "<start>"}:
            beginning = (*original.words[:position], other)
            branch = captioner.captions(look, settings, beginning)[0]
            assert branch.words[: position + 1] == beginning
            own = branch.word(position).probability
            assert own == pytest.approx(chances.pop(other, own), rel=1e-4)
            close(branch.alphas[: position + 1], original.alphas[: position + 1])  # one step's words share its map
            assert branch.finished == (branch.words[-1] == "<end>")
            if other == "<end>":
                assert len(branch) == position + 1
        assert not chances, "every runner-up was tried"


def test_a_branch_keeps_its_forced_attention(captioner, look):
    override = AttentionOverride({0: spot_map(GRID, 0, 1), 2: spot_map(GRID, 2, 0)})
    branch = captioner.caption(look, SearchSettings(2), ["t-shirt", "far"], override)
    assert branch.words[:2] == ("t-shirt", "far")
    np.testing.assert_array_equal(branch.alphas[0], override.at(0))
    np.testing.assert_array_equal(branch.alphas[2:3], override.at(2)[None][: len(branch) - 2])


def test_an_end_may_be_the_last_word_that_fits(captioner, look):
    settings = SearchSettings(2, max_length=3)
    caption = captioner.caption(look, settings, ["a", "dog", "<end>"])
    assert caption.words == ("a", "dog", "<end>")
    assert caption.finished
    assert captioner.caption(look, settings, ["<end>"]).text == ""
    same(captioner.score(look, ["a", "dog", "<end>"]), captioner.score(look, ["a", "dog"]))


# --- hide it ----------------------------------------------------------------------------------------------------


def view(width=60, height=40):
    return Image.fromarray(np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8))


@pytest.mark.parametrize("kind", [bool, np.uint8])
def test_a_mask_hides_its_part_of_the_view(kind):
    original, mask = view(), np.zeros((4, 3), dtype=kind)
    mask[1, 2] = 1
    hidden = np.asarray(hide(original, mask).view)
    expected = np.asarray(original).copy()
    expected[10:20, 40:60] = [124, 116, 104]  # 255 times 0.485, 0.456, 0.406
    np.testing.assert_array_equal(hidden, expected)
    np.testing.assert_array_equal(np.asarray(original), np.asarray(view()), err_msg="the view itself stays")


def test_what_is_hidden_is_nothing_to_the_encoder():
    tensor = hide(view(), np.ones((2, 2), dtype=bool), PhotoFormat(64)).tensor
    assert tensor.shape == (3, 64, 64)
    assert tensor.abs().max() < 0.5 / 255 / 0.224 + 1e-6, "zero, but for the rounding to 8 bits"


def test_hiding_nothing_is_the_same_photo():
    original = prepare(view(), PhotoFormat(64))
    hidden = hide(original.view, np.zeros((7, 5), dtype=np.uint8), PhotoFormat(64))
    np.testing.assert_array_equal(hidden.tensor, original.tensor)


def test_the_thinnest_photo_can_be_hidden_in():
    """Its view, rounded to whole pixels, is thinner than `prepare` would take."""
    original = prepare(view(width=1040, height=52))
    assert hide(original.view, np.ones((1, 1), dtype=bool)).view.size == original.view.size


@pytest.mark.parametrize(
    "mask",
    [np.ones(4, bool), np.ones((2, 2, 1), bool), np.ones((2, 2)), np.ones((0, 2), bool), [[True]], None, view()],
    ids=["1-D", "3-D", "float", "empty", "list", "None", "image"],
)
def test_masks_that_are_none(mask):
    with pytest.raises(PhotoError, match=r"^A mask must be an array .*\.$"):
        hide(view(), mask)


def test_a_hidden_photo_is_looked_at_again():
    captioner = Captioner(make_checkpoint())
    look = captioner.look(np.asarray(view()))
    again = captioner.look(hide(look.view, np.eye(3, dtype=bool), captioner.card.photo))
    assert again.view.size == look.view.size
    assert (again.annotations.features - look.annotations.features).abs().max() > 1e-3
    assert len(captioner.caption(again)) > 0


# --- equations --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("override", OVERRIDES.values(), ids=OVERRIDES)
@pytest.mark.parametrize("position", [0, 1, 4, 5])
def test_explained_numbers_are_the_equations(captioner, look, position, override):
    numbers = captioner.explain(look, WORDS, position, override)
    step = numpy_steps(captioner, look, WORDS[: position + 1], override)[-1]
    assert (numbers.previous, numbers.word) == (("<start>", *WORDS)[position], WORDS[position])
    close(numbers.energies, step["energies"].reshape(GRID), 1e-4)
    close(numbers.alpha, step["alpha"].reshape(GRID))
    lengths = step["alpha"] * np.linalg.norm(look.annotations.features[0].double().numpy(), axis=1)
    close(numbers.shares, (lengths / lengths.sum()).reshape(GRID))
    close(numbers.context_norm, np.linalg.norm(step["z"]))
    close(numbers.beta, step["beta"].mean())
    close(numbers.gated_norm, np.linalg.norm(step["beta"] * step["z"]))
    close(numbers.gates, [gate.mean() for gate in step["gates"]])
    close(numbers.log_normalizer, logsumexp(step["logits"]), 1e-4)
    for word, logit, probability in numbers.words:
        close(logit, step["logits"][VOCABULARY.id(word)], 1e-4)
        close(probability, softmax(step["logits"])[VOCABULARY.id(word)])
        assert probability == pytest.approx(np.exp(logit - numbers.log_normalizer))
    assert {type(part) for part in (numbers.energies, numbers.alpha, numbers.shares)} == {np.ndarray}


def test_explained_words_are_the_likeliest_and_the_one_written(captioner, look):
    scored = captioner.score(look, WORDS)
    for position, word in enumerate(scored):
        explained = captioner.explain(look, WORDS, position).words
        assert [each.word for each in explained[:5]] == [each.word for each in word.alternatives]
        assert word.text in [each.word for each in explained]
        assert len(explained) == 5 + (word.text not in [each.word for each in word.alternatives])


def test_a_photo_of_nothing_has_shares_of_nothing(captioner):
    with torch.no_grad():
        empty = captioner.decoder.annotate(torch.zeros(1, ROWS * COLUMNS, FEATURES))
    numbers = captioner.explain(Look(view(), empty, GRID), ["a"], 0)
    assert numbers.context_norm == 0
    np.testing.assert_array_equal(numbers.shares, 0)


def test_the_place_after_the_last_word_is_that_of_the_end(captioner, look):
    one, other = captioner.explain(look, ["a", "dog"], 2), captioner.explain(look, "A dog.", 2)
    assert one.word == other.word == "<end>"
    assert one.words == other.words == captioner.explain(look, ["a", "dog", "<end>"], 2).words
    assert captioner.explain(look, ["<end>"], 0).word == "<end>"
    assert captioner.explain(look, ["a", "zebra"], 1).word == "<unk>"


@pytest.mark.parametrize(
    ("words", "position", "message"),
    [
        (["a", "dog"], 3, "position must be a whole number from 0 to 2, got 3"),
        (["a", "dog", "<end>"], 3, "from 0 to 2, got 3"),
        (["a"], -1, "position"),
        (["a"], True, "position"),
        (["a"], "0", "position"),
        (["a", "<end>", "dog"], 0, "<end> can only be the last word"),
    ],
)
def test_positions_that_are_none(captioner, look, words, position, message):
    with pytest.raises(SettingsError, match=message):
        captioner.explain(look, words, position)
    with pytest.raises(SettingsError, match=message):
        captioner.look_elsewhere(look, words, position, SOME)


def test_a_score_ends_where_its_end_is(captioner, look):
    with pytest.raises(SettingsError, match="<end> can only be the last word"):
        captioner.score(look, ["a", "<end>", "dog"])
