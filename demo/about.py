"""What the page says about the loaded model, from its card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from captioner.card import Card

COLUMNS = ("BLEU-1", "BLEU-4", "METEOR", "ROUGE-L", "CIDEr")
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
    """A table of the scores that have the usual columns."""
    rows = {name: row for name, row in scores.items() if _is_of_captions(row)}
    if not rows:
        return ""
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, row in rows.items():
        lines.append(f"| {_plain(name)} | " + " | ".join(_number(row.get(column)) for column in COLUMNS) + " |")
    return "\n".join(lines)


def _other_scores(scores: Mapping[str, Any]) -> str:
    """Of what else was measured, the attention above all, a line each."""
    rows = {name: row for name, row in scores.items() if isinstance(row, dict) and not _is_of_captions(row)}
    return "\n".join(
        f"- {_plain(name)}: " + "; ".join(f"{_plain(key)} {_number(value)}" for key, value in row.items())
        for name, row in rows.items()
    )


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
