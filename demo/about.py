"""What the page says about the loaded model, from its card."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from captioner.card import Card

COLUMNS = ("BLEU-1", "BLEU-4", "METEOR", "ROUGE-L", "CIDEr")
MARKUP = re.compile(r"([\\`*_{}\[\]<>()#+.!|~$&-])")


def about(card: Card) -> str:
    """Markdown: what the model is, its measured scores, its limits and its terms."""
    size = card.decoder
    shape = (
        f"ResNet with {sum(card.encoder.blocks) * 3 + 2} layers, {card.encoder.grid}×{card.encoder.grid} cells; "
        f"LSTM of {size.hidden_size}, {size.vocabulary_size:,} words; stored as {card.storage}."
    )
    parts = [f"**{_plain(card.name)}**. {shape}", _scores(card.scores), _plain(card.limits), _plain(card.licence)]
    return "\n\n".join(part for part in parts if part)


def _scores(scores: Mapping[str, Any]) -> str:
    """A table of the scores that have the usual columns; other entries stay on the card."""
    rows = {name: row for name, row in scores.items() if isinstance(row, dict) and COLUMNS[1] in row}
    if not rows:
        return ""
    lines = ["| | " + " | ".join(COLUMNS) + " |", "|---" * (len(COLUMNS) + 1) + "|"]
    for name, row in rows.items():
        lines.append(f"| {_plain(name)} | " + " | ".join(_number(row.get(column)) for column in COLUMNS) + " |")
    return "\n".join(lines)


def _number(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, int | float) else "–"


def _plain(text: str) -> str:
    """Text in which no sign is markup."""
    return MARKUP.sub(r"\\\1", " ".join(str(text).split()))
