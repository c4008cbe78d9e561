"""Captions for photos without any: what is a candidate, what is left out, and what decides."""

import json
from itertools import pairwise

import numpy as np
import pytest
import torch
from tiny import make_decoder, make_features, make_vocabulary

from captioner.__main__ import main
from captioner.search import SearchSettings, search
from captioner.training.data.datasets import DatasetError, Example, read_dataset
from captioner.training.measures.scores import says_twice
from captioner.training.proposals import Proposal, ProposalConfig, Proposer, WordProbe, read_answers

MAY_REPEAT = frozenset({"a", "the", "on"})
WORDS = ("a", "the", "on", "dog", "cat", "ball", "runs")


@pytest.fixture(scope="module")
def probe():
    """Photos of dogs have a positive first feature, photos of cats a negative one; a ball is on every other."""
    random = torch.Generator().manual_seed(0)
    means = torch.randn(200, 5, generator=random) * 0.1
    means[:100, 0] += 1
    means[100:, 0] -= 1
    means[::2, 1] += 1
    examples = [
        Example(
            str(n),
            "train",
            (("a", "dog" if n < 100 else "cat", *(["ball"] if n % 2 == 0 else [])), ("a", "rare")[: n < 3]),
        )
        for n in range(200)
    ]
    return WordProbe(examples, means, MAY_REPEAT)


def test_the_probe_sees_the_words_of_a_photo(probe):
    assert probe.words == ("ball", "cat", "dog")  # neither what may be said twice, nor what is rare
    with_dog, with_cat = probe(torch.tensor([[1.0, 1, 0, 0, 0], [-1.0, 0, 0, 0, 0]]))
    assert with_dog[2] > 0.1 > -0.1 > with_dog[1]
    assert with_cat[1] > 0.1 > -0.1 > with_cat[2]
    assert with_dog[0] > with_cat[0] + 0.2
    extreme = probe(torch.full((1, 5), 1e4))
    assert extreme.max() <= 3
    assert extreme.min() >= -6
    with pytest.raises(DatasetError, match="no word is on 300 photos"):
        WordProbe([Example("a", "train", (("dog",),))], torch.zeros(1, 5), MAY_REPEAT, min_frequency=300)


@pytest.fixture
def make(probe):
    vocabulary = make_vocabulary(*WORDS)
    decoder = make_decoder(len(vocabulary), sharpness=2.0)
    people = [("a", "dog", "runs"), ("the", "cat"), ("a", "dog", "on", "a", "dog"), ("a", "zebra"), ("a", "ball")]

    def proposer(**changes):
        return Proposer(decoder, vocabulary, probe, MAY_REPEAT, people, ProposalConfig(**changes))

    return proposer


def test_the_rank_is_made_of_what_is_stated(make, probe):
    proposer = make(keep=50, sentences=2)
    features = make_features(1, seed=3)
    odds = probe(features.mean(dim=1))[0]
    found = proposer(features, frozenset({"dog", "runs", "a"}))
    decoder, vocabulary = proposer.decoder, proposer.vocabulary
    for proposal in found:
        ids = vocabulary.encode(proposal.caption)
        annotations = decoder.annotate(features)
        state, total = decoder.start(annotations), 0.0
        for previous, word in pairwise(ids):
            step = decoder.step(annotations, state, torch.tensor([previous]))
            state, total = step.state, total + float(step.logits.detach().log_softmax(1)[0, word])
        assert proposal.log_prob == pytest.approx(total / (len(ids) - 1), abs=1e-4)
        known = [odds[probe.index[word]].item() for word in set(proposal.caption) if word in probe.index]
        assert proposal.words == pytest.approx(np.mean(known) if known else odds.min().item(), abs=1e-5)
        assert proposal.answers == len({"dog", "runs"} & set(proposal.caption))
    ranks = [each.log_prob + 0.5 * each.words + 0.15 * each.answers for each in found]
    assert ranks == sorted(ranks, reverse=True)
    assert Proposal((), "model", -1, 2, 9).rank(ProposalConfig()) == pytest.approx(-1 + 0.5 * 2 + 0.15 * 3)


def test_candidates_are_the_models_and_peoples_that_the_photo_shows(make):
    proposer = make(keep=50, sentences=2, samples=4)
    features = make_features(1, seed=3)
    found = proposer(features)
    people = {each.caption for each in found if each.origin == "people"}
    assert len(people) <= 2
    assert people <= {("a", "dog", "runs"), ("the", "cat"), ("a", "ball")}  # no unknown word, none said twice
    *_, (snapshot,) = search(
        proposer.decoder, proposer.decoder.annotate(features), proposer.vocabulary, SearchSettings(5)
    )
    written = {tuple(proposer.vocabulary.decode(each.tokens)) for each in snapshot.hypotheses if each.finished}
    assert {each for each in written if each and not says_twice(each, MAY_REPEAT)} <= {each.caption for each in found}
    assert not any(says_twice(each.caption, MAY_REPEAT) for each in found)
    assert len(make(keep=1)(features)) == 1
    assert not any(each.origin == "people" for each in make(sentences=0)(features))


def test_a_content_word_said_twice():
    assert says_twice(("a", "dog", "on", "a", "dog"), MAY_REPEAT)
    assert not says_twice(("a", "dog", "on", "a", "cat"), MAY_REPEAT)


def test_answers_are_read(tmp_path):
    path = tmp_path / "answers.jsonl"
    path.write_text('{"filename": "a.jpg", "answers": [["What runs?", "A dog."], ["Where?", "On grass"]]}\n')
    assert read_answers(path) == {"a.jpg": frozenset({"a", "dog", "on", "grass"})}
    path.write_text('{"filename": "a.jpg"}')
    with pytest.raises(DatasetError, match=r"answers\.jsonl: expected"):
        read_answers(path)


@pytest.mark.slow
def test_the_command_writes_what_training_reads_and_goes_on_where_it_was_stopped(collection, tmp_path, capsys):
    unlabelled = tmp_path / "unlabelled"
    unlabelled.mkdir()
    for number in (12, 13, 14):
        (unlabelled / f"{number}.png").write_bytes((collection.photos / f"{number}.png").read_bytes())
    (unlabelled / "notes.txt").write_text("no photo")
    (tmp_path / "people.txt").write_text("A red square.\nGreen all over\n")
    (tmp_path / "answers.jsonl").write_text('{"filename": "12.png", "answers": [["Which colour?", "red"]]}\n')
    output = tmp_path / "proposed.jsonl"
    call = ["propose", collection.checkpoint, "--data", collection.dataset, "--photos", collection.photos]
    call += ["--unlabelled", unlabelled, "--people", tmp_path / "people.txt", "--answers", tmp_path / "answers.jsonl"]
    call = [*map(str, [*call, "--output", output, "--keep", 2])]
    assert main(call) == 0
    assert "3 photos captioned" in capsys.readouterr().out
    whole = output.read_text()
    photos = [json.loads(line) for line in whole.splitlines()]
    assert [photo["filename"] for photo in photos] == ["12.png", "13.png", "14.png"]
    assert set(photos[0]["captions"][0]) == {"raw", "from", "log_prob", "words", "answers"}
    examples = read_dataset(output, unlabelled).split("train")
    assert all(1 <= len(example.captions) <= 2 for example in examples)
    lines = whole.splitlines(keepends=True)
    output.write_text(lines[0] + lines[1][:20])
    assert main(call) == 0
    assert output.read_text() == whole
    assert "2 photos captioned" in capsys.readouterr().out
