"""The card: what is written is read back, and nothing wrong is accepted."""

import json
from dataclasses import replace

import pytest
from tiny import make_checkpoint

from captioner.card import MAX_CARD_BYTES, SCHEMA, CheckpointError, read_card
from captioner.settings import SearchSettings


@pytest.fixture
def path(tmp_path):
    card = replace(
        make_checkpoint().card,
        licence="나눔",
        training={"data": ["a"], "passes": 3},
        scores={"bleu_4": 0.205, "beam_size": 3},
        length_penalty=0.7,
        may_repeat=("a", "the"),
        sha256={"model.safetensors": "0" * 64},
    )
    card.write(tmp_path / "card.json")
    return tmp_path / "card.json"


def refusal(path):
    """The message, after checking that it names the file and fits one line."""
    with pytest.raises(CheckpointError) as caught:
        read_card(path)
    message = str(caught.value)
    assert message.startswith(f"{path}: ")
    assert "\n" not in message
    assert "restore" in message or "update" in message
    return message


def test_what_is_written_is_read_back(path):
    card = read_card(path)
    again = path.with_name("again.json")
    card.write(again)
    assert read_card(again) == card
    assert again.read_bytes() == path.read_bytes()
    assert (card.licence, card.scores["bleu_4"], card.encoder.blocks) == ("나눔", 0.205, (1, 1, 1, 1))
    assert "나눔" in path.read_text(encoding="utf-8")


def test_the_cards_ranking_holds_where_the_settings_leave_it_open(path):
    card = read_card(path)
    assert card.completed(SearchSettings(2)) == SearchSettings(
        2, length_penalty=0.7, may_repeat=frozenset({"a", "the"})
    )
    own = SearchSettings(2, length_penalty=0, may_repeat=frozenset())
    assert card.completed(own) == own


def change(path, *keys, value):
    content = json.loads(path.read_text(encoding="utf-8"))
    place = content
    for key in keys[:-1]:
        place = place[key]
    if value is ...:
        del place[keys[-1]]
    else:
        place[keys[-1]] = value
    path.write_text(json.dumps(content), encoding="utf-8")


@pytest.mark.parametrize("schema", [0, 2, "1", None, ..., 99, [1]])
def test_unknown_schema(path, schema):
    change(path, "schema", value=schema)
    message = refusal(path)
    assert f"schema {SCHEMA}" in message
    assert f"found {None if schema is ... else schema!r}" in message


@pytest.mark.parametrize(
    "keys",
    [
        ("name",),
        ("encoder",),
        ("decoder",),
        ("photo",),
        ("decoder", "vocabulary_size"),
        ("encoder", "dilated"),
        ("decoder", "gate"),
        ("photo", "mean"),
    ],
    ids=".".join,
)
def test_missing_fields(path, keys):
    change(path, *keys, value=...)
    assert keys[-1] in refusal(path)


@pytest.mark.parametrize(
    "keys", [("extra",), ("encoder", "extra"), ("decoder", "extra"), ("photo", "extra")], ids=".".join
)
def test_unknown_fields(path, keys):
    change(path, *keys, value=1)
    assert "unknown field 'extra'" in refusal(path)


WRONG = {
    "name": [5, None],
    "encoder": [5, None, "abc", [1, 2], {}],
    "encoder.blocks": [
        5,
        "1234",
        [1, 1, 1],
        [1, 1, 1, 1, 1],
        [1, 1, 1, 0],
        [1, 1, 1, 65],
        [1, 1, 1, 1.0],
        [1, 1, 1, True],
    ],
    "encoder.dilated": ["yes", 1, None],
    "encoder.grid": [0, -3, 65, 14.0, "14", True],
    "decoder.vocabulary_size": [0, -1, 10**9, 1.5, "7", None, True],
    "decoder.feature_size": [512, 2048.0],
    "decoder.hidden_size": [0, 10**7],
    "decoder.output": ["wide", None, 5, ["deep"]],
    "decoder.gate": ["none", {}],
    "decoder.activation": ["gelu"],
    "decoder.dropout": ["x", -0.1, 1.5, float("nan"), None, True],
    "photo.size": [0, 4096, "256", 256.5],
    "photo.mean": [[0.5, 0.5], [0.5] * 4, 0.5, "abc", [0.5, 0.5, "x"], [0.5, 0.5, float("nan")]],
    "photo.std": [[0.0, 1, 1], [-1, 1, 1], [1, 1, float("inf")]],
    "photo.interpolation": ["nearest", 3],
    "storage": ["int4", None, 8, ["int8"]],
    "beam_size": [0, 21, 10_000, 3.0, "3", None, True],
    "may_repeat": ["a", [1], {"a": 1}, None],
    "length_penalty": [-1, 6, float("nan"), float("inf"), "0"],
    "sha256": [[], "abc", None],
    "training": [[], 5],
    "scores": [None],
    "encoder_weights": [None, 5],
    "limits": [1],
}


@pytest.mark.parametrize(
    ("name", "value"),
    [(name, value) for name, values in WRONG.items() for value in values],
    ids=lambda value: str(value)[:20],
)
def test_wrong_values(path, name, value):
    change(path, *name.split("."), value=value)
    refusal(path)


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"5", b'"text"', b"\xff\xfe{}", b"{}", b"[" * 100_000, b'{"schema": 1}', b'{"schema": 1e999}'],
    ids=lambda content: repr(content[:12]),
)
def test_what_is_no_card(path, content):
    path.write_bytes(content)
    refusal(path)


def test_a_huge_card_is_not_read(path):
    with path.open("ab") as file:
        file.truncate(MAX_CARD_BYTES + 1)
    assert f"at most {MAX_CARD_BYTES} bytes" in refusal(path)


def test_missing_card_and_a_folder_in_its_place(path):
    path.unlink()
    assert "found none" in refusal(path)
    path.mkdir()
    refusal(path)
