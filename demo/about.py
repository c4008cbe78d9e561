"""What the page says about the loaded model, from its card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from captioner.card import Card

COLUMNS = ("BLEU-1", "BLEU-4", "METEOR", "ROUGE-L", "CIDEr")
OWN_MAP = "the word's own map"
MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+.!|~$&:-])")


def about(card: Card) -> str:
    """Markdown: what the model is, its measured scores, where it fails, its limits and its terms."""
    size = card.decoder
    shape = (
        f"ResNet with {sum(card.encoder.blocks) * 3 + 2} layers, {card.encoder.grid}×{card.encoder.grid} cells; "
        f"LSTM of {size.hidden_size}, {size.vocabulary_size:,} words; stored as {card.storage}."
    )
    parts = [
        f"**{_plain(card.name)}**. {shape}",
        _caption_scores(card.scores),
        _other_scores(card.scores),
        _failures(card.failures),
        _plain(card.limits),
        _plain(card.licence),
    ]
    return "\n\n".join(part for part in parts if part)


def _caption_scores(scores: Mapping[str, Any]) -> str:
    """A table of the scores that have the usual columns; what all their names begin with heads it."""
    rows = {name: row for name, row in scores.items() if _is_of_captions(row)}
    if not rows:
        return ""
    parts = [tuple(name.split(", ")) for name in rows]
    shared = _shared_beginning(parts)
    labels = [", ".join(each[len(shared) :]) for each in parts]
    cells = [[row.get(column) for column in COLUMNS] for row in rows.values()]
    return _table(", ".join(shared), COLUMNS, dict(zip(labels, cells, strict=True)))


def _shared_beginning(names: Sequence[tuple[str, ...]]) -> tuple[str, ...]:
    """What all begin with; each keeps a part of its own."""
    most = min(map(len, names)) - 1
    return next((names[0][:size] for size in range(most, 0, -1) if len({each[:size] for each in names}) == 1), ())


def _other_scores(scores: Mapping[str, Any]) -> str:
    """Of what else was measured, the attention above all: a table where maps are compared, else a line."""
    rows = {name: row for name, row in scores.items() if isinstance(row, dict) and not _is_of_captions(row)}
    compared = [_compared(name, row) for name, row in rows.items() if _compares(row)]
    lines = [f"- {_plain(name)}: {_listed(row)}" for name, row in rows.items() if not _compares(row)]
    return "\n\n".join([*compared, "\n".join(lines)] if lines else compared)


def _compares(row: Mapping[str, Any]) -> bool:
    return any(", " in key for key in row)


def _compared(name: str, row: Mapping[str, Any]) -> str:
    """Scores named ``measure`` and ``measure, of whose map`` as a table, the others of the row above it."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in row.items():
        measure, _, whose = key.partition(", ")
        found.setdefault(measure, {})[whose or OWN_MAP] = value
    measures = {measure: each for measure, each in found.items() if len(each) > 1}
    columns = tuple(dict.fromkeys(whose for each in measures.values() for whose in each))
    table = _table("", columns, {measure: [each.get(whose) for whose in columns] for measure, each in measures.items()})
    single = {measure: value for measure, each in found.items() if len(each) == 1 for value in each.values()}
    return f"{_plain(name)}{': ' if single else ''}{_listed(single)}\n\n{table}"


def _listed(row: Mapping[str, Any]) -> str:
    return "; ".join(f"{_plain(key)} {_number(value)}" for key, value in row.items())


def _table(corner: str, columns: Sequence[str], rows: Mapping[str, Sequence[object]]) -> str:
    lines = [f"| {_plain(corner)} | " + " | ".join(map(_plain, columns)) + " |", "|---" + "|--:" * len(columns) + "|"]
    lines += [f"| {_plain(label)} | " + " | ".join(map(_number, cells)) + " |" for label, cells in rows.items()]
    return "\n".join(lines)


def _is_of_captions(row: object) -> bool:
    return isinstance(row, dict) and COLUMNS[1] in row


def _failures(failures: Mapping[str, Any]) -> str:
    lines = [f"- {_plain(shown)} → “{_plain(str(written))}”" for shown, written in failures.items()]
    return "\n".join(["Where it fails, what is on the photo and what the model wrote:", "", *lines]) if lines else ""


def _number(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:#.3g}" if isinstance(value, float) else "–"


def _plain(text: str) -> str:
    """Text in which no sign is markup."""
    return MARKUP.sub(r"\\\1", " ".join(str(text).split()))
