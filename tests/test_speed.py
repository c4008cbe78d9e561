"""The arithmetic of the benchmarks, in miniature: the tutorial's search finds what ours finds, ratios are of turns."""

import pytest
import torch
from PIL import Image
from tiny import make_checkpoint, make_decoder, make_features, make_vocabulary

from benchmarks.growth import BEAMS, LENGTHS, PHOTOS, growth
from benchmarks.speed import Contest, bare_resnet, ratios
from benchmarks.timing import interleaved, machine, median_difference, median_ratio, table
from benchmarks.tutorial_way import tutorial_search
from captioner.search import SearchSettings, search

CPU = torch.device("cpu")
WORDS = make_vocabulary("a", "b", "c", "d", "e")


@pytest.mark.parametrize("gate", ["scalar", "feature"])
@pytest.mark.parametrize("output", ["deep", "plain"])
@pytest.mark.parametrize("beam_size", [1, 2, 5])
@torch.inference_mode()
def test_the_tutorials_search_finds_the_caption_that_ours_finds(gate, output, beam_size):
    settings, found = SearchSettings(beam_size, max_length=7, length_penalty=0), set()
    for seed in range(12):
        decoder, features = make_decoder(len(WORDS), seed, 2.0, gate=gate, output=output), make_features(1, seed)
        decoder.output.words.bias[list(WORDS.never_written)] = -1e4  # the tutorial does not forbid them
        *_, (last,) = search(decoder, decoder.annotate(features), WORDS, settings)
        words = tutorial_search(decoder, features, WORDS.start, WORDS.end, beam_size, settings.max_length)
        assert words == list(last.leader.tokens)
        found.add(tuple(words))
    assert len(found) > 2


def test_bare_resnet_is_the_checkpoints_with_torchvisions_pool_and_classifier():
    checkpoint = make_checkpoint()
    photos = torch.randn(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    model = bare_resnet(checkpoint)
    assert sum(layer.dilation == (2, 2) for layer in model.modules() if isinstance(layer, torch.nn.Conv2d)) == 2
    with torch.inference_mode():
        trunk, ours = model.layer1[0], checkpoint.encoder.trunk.layer1[0]
        between = torch.randn(2, 64, 16, 16)
        assert torch.equal(trunk(between), ours(between))
        assert model(photos).shape == (2, 1000)


def test_every_way_of_the_contest_runs_and_every_ratio_is_of_its_ways(tmp_path):
    Image.new("RGB", (90, 60), "teal").save(tmp_path / "photo.png")
    contest = Contest(make_checkpoint(), [tmp_path / "photo.png"], CPU)
    assert contest.same_captions() == 1
    rows = ratios(interleaved(contest.ways, 1, warm_ups=0), contest.encoder.form)
    assert len(rows) == 6
    assert all(float(measured) > 0 for _, measured, _ in rows[:4])


def test_ratios_of_known_seconds():
    known = {
        "bare": 8, "encode": 4, "encode in float32": 5, "look": 5, "caption": 6, "first word": 4.5, "search": 0.2,
        "tutorial": 24, "tutorial's search": 3,
    }  # fmt: skip
    seconds = {name: [each, 2 * each] for name, each in known.items()}
    assert [measured for _, measured, _ in ratios(seconds, "int8")] == ["0.75", "4.0", "15.0", "0.040", "300", "750"]
    assert [aim for *_, aim in ratios(seconds, "int8")] == ["≤ 0.45", "≥ 4.5", "≥ 15", "≤ 0.1", "≤ 30", "≤ 25"]
    assert [aim for *_, aim in ratios(seconds, "float32")][:2] == ["≤ 1.0", "≥ 2.3"]


def test_growth_times_every_beam_length_and_number_of_photos():
    measured = growth(make_checkpoint(), CPU, 1)
    assert len(measured) == len(BEAMS) + len(LENGTHS) + 2 * len(PHOTOS)
    assert all(milliseconds > 0 for milliseconds in measured.values())


def test_the_ways_take_turns_and_the_first_of_a_round_changes():
    called = []
    ways = {name: lambda turn, name=name: called.append((turn, name)) for name in "ab"}
    seconds = interleaved(ways, 3, warm_ups=1)
    assert [name for _, name in called] == [*"ab", *"ba", *"ab", *"ba"]
    assert [turn for turn, _ in called] == [-1, -1, 0, 0, 1, 1, 2, 2]
    assert [len(each) for each in seconds.values()] == [3, 3]


def test_a_ratio_is_the_median_of_ratios_not_the_ratio_of_medians():
    one, other = [2.0, 30.0, 8.0], [1.0, 10.0, 2.0]
    assert median_ratio(one, other) == 3.0
    assert median_difference(one, other) == 6.0


def test_a_table_and_a_machine():
    assert table(("a", "b"), [(1, "x")]) == "| a | b |\n| --- | --- |\n| 1 | x |"
    assert "cores" in machine()
    assert torch.__version__ in machine()
