"""Several data sets at once: what is drawn when, what counts how much, and how each is scored."""

import json
from collections import Counter

import numpy as np
import pytest
import torch
from torch.nn.functional import cross_entropy

from captioner.__main__ import main
from captioner.checkpoint import load_checkpoint
from captioner.decoder import TeacherForced
from captioner.training.data.batches import BatchDataset, BatchPlan
from captioner.training.data.datasets import DatasetError, Example
from captioner.training.data.sources import read_mixture, read_sources
from captioner.training.measures.scores import Choice
from captioner.training.objective import word_loss
from captioner.training.options import OptionError
from captioner.training.progress import LOSSES
from captioner.vocabulary import Vocabulary

EXAMPLES = [
    Example(f"{number}.jpg", "train", (("a", name), (name, "too")), name)
    for name, count in (("first", 11), ("second", 5), ("third", 3))
    for number in range(count)
]


def drawn(plan, epochs):
    """The (source, file) of each photo of each batch of some epochs."""
    return [
        [(EXAMPLES[choice.example].source, EXAMPLES[choice.example].filename) for choice in batch]
        for epoch in epochs
        for batch in plan.epoch(EXAMPLES, epoch)
    ]


def test_an_epoch_is_the_first_source_once_and_the_others_come_round_without_replacement():
    plan = BatchPlan({"first": 4, "second": 2}, seed=5)
    batches = drawn(plan, range(5))
    assert [Counter(source for source, _ in batch) for batch in batches[:3]] == [
        {"first": 4, "second": 2}, {"first": 4, "second": 2}, {"first": 3, "second": 2},
    ]  # fmt: skip
    for epoch in range(5):
        of_first = [name for batch in batches[3 * epoch : 3 * epoch + 3] for source, name in batch if source == "first"]
        assert sorted(of_first) == sorted(f"{number}.jpg" for number in range(11))
    second = [name for batch in batches for source, name in batch if source == "second"]
    assert len(second) == 30
    rounds = [second[first : first + 5] for first in range(0, 30, 5)]  # over the ends of epochs, of 6 photos each
    assert all(sorted(each) == [f"{number}.jpg" for number in range(5)] for each in rounds)
    assert len({tuple(each) for each in rounds}) > 3


def test_batches_follow_from_seed_and_epoch_alone():
    plan = BatchPlan({"second": 2, "third": 1}, seed=5)
    assert plan.epoch(EXAMPLES, 3) == BatchPlan({"second": 2, "third": 1}, seed=5).epoch(EXAMPLES, 3)
    assert plan.epoch(EXAMPLES, 3) != BatchPlan({"second": 2, "third": 1}, seed=6).epoch(EXAMPLES, 3)
    assert not any(source == "first" for batch in drawn(plan, [0]) for source, _ in batch)
    with pytest.raises(OptionError, match=r"'fourth'.*known: first, second, third"):
        BatchPlan({"first": 2, "fourth": 1}).epoch(EXAMPLES, 0)


def test_one_number_draws_from_all_as_from_one_collection():
    batches = drawn(BatchPlan(8), [0])
    assert sorted(photo for batch in batches for photo in batch) == sorted((e.source, e.filename) for e in EXAMPLES)


def test_captions_count_as_their_source_does():
    vocabulary = Vocabulary.build(caption for each in EXAMPLES for caption in each.captions)
    plan = BatchPlan({"first": 2, "third": 1}, captions_per_photo=2)
    load = lambda examples, views: torch.zeros(len(examples), 1, 2)
    dataset = BatchDataset(EXAMPLES, plan.epoch(EXAMPLES, 0), vocabulary, load, weights={"third": 0.25})
    assert dataset[0].weights.tolist() == [1, 1, 1, 1, 0.25, 0.25]


def test_words_are_a_mean_weighted_by_their_caption():
    torch.manual_seed(0)
    logits, targets, rows = torch.randn(5, 7), torch.tensor([1, 2, 3, 4, 5]), torch.tensor([0, 1, 0, 1, 0])
    forced = TeacherForced(logits, targets, torch.zeros(2, 3, 4), rows)
    each = [-logits[place].log_softmax(0)[targets[place]].item() for place in range(5)]
    expected = np.average(each, weights=[1, 0.5, 1, 0.5, 1])
    assert word_loss(forced, 0.0, torch.tensor([1.0, 0.5])).item() == pytest.approx(expected, rel=1e-5)
    alike = word_loss(forced, 0.1, torch.tensor([0.3, 0.3]))
    torch.testing.assert_close(alike, cross_entropy(logits, targets, label_smoothing=0.1))
    assert word_loss(forced, 0.0, torch.tensor([0.0, 0.0])) == 0


@pytest.mark.parametrize(
    ("metric", "expected"),
    [
        ("", 0.5 + 0.7),
        ("a CIDEr", 0.5),
        ("a CIDEr + 2 b BLEU-4", 0.5 + 2 * 20),
        ("0.5 a CIDEr + 0.5 * b CIDEr", 0.6),
    ],
)
def test_the_choice_is_the_stated_sum(metric, expected):
    scores = {"a CIDEr": 0.5, "b CIDEr": 0.7, "b BLEU-4": 20.0}
    assert Choice(metric, ["a", "b"])(scores) == pytest.approx(expected)


@pytest.mark.parametrize("metric", ["Bleu_4", "CIDEr", "c CIDEr", "a CIDEr + ", "x a CIDEr", "a CIDEr - b CIDEr"])
def test_a_choice_by_no_score_is_refused(metric):
    with pytest.raises(OptionError, match="is none of the scores"):
        Choice(metric, ["a", "b"])


@pytest.fixture
def sources(collection, tmp_path):
    """The squares as two sets of the same file names, and a third without people's captions."""
    proposed = tmp_path / "proposed.jsonl"
    lines = [
        {"filename": f"{number}.png", "captions": [{"raw": "All red!"}, {"raw": "a square"}]} for number in (3, 6, 9)
    ]
    proposed.write_text("\n".join(map(json.dumps, lines)))
    (tmp_path / "only.json").write_text(json.dumps(["3.png", "9.png"]))
    whole = {"captions": str(collection.dataset), "photos": str(collection.photos)}
    boxes = tmp_path / "boxes.jsonl"
    sentence = {"tokens": ["a", "red", "square"], "phrases": [{"first": 0, "last": 2, "boxes": [[0, 0, 0.5, 1]]}]}
    boxes.write_text("\n".join(json.dumps({"filename": f"{n}.png", "sentences": [sentence]}) for n in range(0, 15, 3)))
    content = [
        {"name": "people", **whole, "entities": "boxes.jsonl"},
        {"name": "others", **whole},
        {"name": "machine", "captions": "proposed.jsonl", "photos": whole["photos"], "only": "only.json"},
    ]
    path = tmp_path / "sources.json"
    path.write_text(json.dumps({"sources": content}))
    return path


def test_sources_are_read(sources, collection):
    mixture = read_mixture(read_sources(sources))
    assert Counter(example.source for example in mixture.train()) == {"people": 12, "others": 12, "machine": 2}
    assert mixture.datasets[2].of("train")[0].captions == (("all", "red"), ("a", "square"))
    assert [source.name for source, _ in mixture.with_split("val")] == ["people", "others"]
    assert mixture.sources[0].entities == sources.parent / "boxes.jsonl"
    with pytest.raises(DatasetError, match="no photos in the split 'test'"):
        mixture.with_split("test")


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{}",
        '{"sources": []}',
        '{"sources": [{"name": "a", "captions": "c"}]}',
        '{"sources": [{"name": "a", "captions": "c", "photos": "p", "boxes": "b"}]}',
        '{"sources": [{"name": "a b", "captions": "c", "photos": "p"}]}',
        '{"sources": [{"name": "a", "captions": "c", "photos": "p"}, {"name": "a", "captions": "c", "photos": "p"}]}',
    ],
)
def test_other_files_are_no_sources(tmp_path, content):
    path = tmp_path / "sources.json"
    path.write_text(content)
    with pytest.raises(DatasetError, match=r"sources\.json"):
        read_sources(path)


@pytest.mark.slow
def test_a_run_on_several_sources_is_scored_apart(sources, collection, tmp_path):
    arguments = [
        "train", "--sources", sources, "--start-from", collection.checkpoint, "--storage", "float32",
        "--batch-photos", "people=4,others=2,machine=1", "--caption-weights", "machine=0.5", "--region-weight", "0.5",
        "--mirror", "people,machine", "--cells", 9, "--feature-dropout", 0.2, "--ema", 0.5, "--epochs", 2,
        "--save-every", 2, "--val-photos", 3, "--metric", "people CIDEr + 0.5 others BLEU-4",
    ]  # fmt: skip
    call = [*map(str, arguments)]
    assert main([*call, "--output", str(tmp_path / "run")]) == 0
    folders = {path.name for path in (tmp_path / "run" / "features").iterdir()}
    assert folders == {"people", "people-mirrored", "others", "machine", "machine-mirrored"}
    scores = load_checkpoint(tmp_path / "run" / "checkpoint").card.scores["val while training"]
    assert {"people CIDEr", "others CIDEr", "others BLEU-4"} <= set(scores)
    lines = [json.loads(line) for line in (tmp_path / "run" / LOSSES).open()]
    assert len(lines) == 6
    assert any(line["region"] > 0 for line in lines)
    evaluation = ["evaluate", str(tmp_path / "run" / "checkpoint"), "--sources", str(sources), "--no-meteor"]
    evaluation += ["--beam-size", "1", "--attention", "--json", str(tmp_path / "out.json")]
    assert main(evaluation) == 0
    table = json.loads((tmp_path / "out.json").read_text())["scores"]
    assert {
        "people val, 3 photos, beam size 1, temperature 0",
        "others val, 3 photos, beam size 1, temperature 0",
    } <= set(table)
    assert any("people" in name and "attention" in name for name in table)
    assert not any("others" in name and "attention" in name for name in table)


def test_both_ways_to_name_the_data_at_once_are_refused(sources, collection, tmp_path, capsys):
    call = ["train", "--output", str(tmp_path / "run"), "--data", str(collection.dataset)]
    assert main([*call, "--sources", str(sources)]) == 1
    assert "leave the options for a single set out" in capsys.readouterr().err
    assert main(call) == 1
    assert "--photos" in capsys.readouterr().err
