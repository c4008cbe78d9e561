"""What the page says about the loaded model, from its card."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from os.path import commonprefix
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
    shared = commonprefix([each[:-1] for each in parts])  # noqa: RUF071  # of tuples, part by part
    labels = [", ".join(each[len(shared) :]) for each in parts]
    cells = [[row.get(column) for column in COLUMNS] for row in rows.values()]
    return _table(", ".join(shared), COLUMNS, dict(zip(labels, cells, strict=True)))


def _other_scores(scores: Mapping[str, Any]) -> str:
    """Of what else was measured, the attention above all: a table where maps are compared, else a line."""
    rows = {name: row for name, row in scores.items() if isinstance(row, dict) and not _is_of_captions(row)}
    compared = {name: measures for name, row in rows.items() if (measures := _compared(row))}
    tables = [_compared_scores(name, rows[name], measures) for name, measures in compared.items()]
    lines = [f"- {_plain(name)}: {_listed(row)}" for name, row in rows.items() if name not in compared]
    return "\n\n".join([*tables, "\n".join(lines)])


def _compared(row: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Each measure of several maps, named ``measure`` and ``measure, of whose map``: its scores by map."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in row.items():
        measure, _, whose = key.partition(", ")
        found.setdefault(measure, {})[whose or OWN_MAP] = value
    return {measure: each for measure, each in found.items() if len(each) > 1}


def _compared_scores(name: str, row: Mapping[str, Any], measures: Mapping[str, Mapping[str, Any]]) -> str:
    """A table of the measures, below a line with the row's other scores."""
    columns = tuple(dict.fromkeys(whose for each in measures.values() for whose in each))
    cells = {measure: [each.get(whose) for whose in columns] for measure, each in measures.items()}
    others = {key: value for key, value in row.items() if key.partition(", ")[0] not in measures}
    heading = f"{_plain(name)}: {_listed(others)}" if others else _plain(name)
    return f"{heading}\n\n{_table('', columns, cells)}"


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
