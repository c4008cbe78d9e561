"""The first answer as data, so that a page plays at once and no model works for it.

`python -m demo.page.first_answer` writes it anew for the bundled checkpoint, in every form of the encoder's arithmetic
that this machine has. A server whose checkpoint, photo or form is not in it asks its model when it starts.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path
from typing import Any

from captioner.card import Card
from captioner.encoder_form import FORMS, FormError
from captioner.pipeline import Captioner
from demo.gradio_inside import files_folder
from demo.page.examples import examples
from demo.protocol.payload import VERSION, Message, WordPool, update_message
from demo.runs.engine import Engine
from demo.runs.first_answer import FirstAnswer

RECORD = Path(__file__).resolve().parent.parent / "first_answer.json"
OF_SERVER = ("run", "photo")  # what each server says for itself


def first_answer(engine: Engine, run: int) -> FirstAnswer | None:
    """The answer to the example that greets; None if there is no example."""
    greeting = next(iter(examples()), None)
    return FirstAnswer(engine, greeting.path, greeting.name, run) if greeting else None


def first_message(first: FirstAnswer, record: Path = RECORD) -> Message:
    """What the player shows of it on arrival: the record's, if it is of this model and form, else what is found now."""
    captioner = first.engine.captioner
    kept = _read(record)
    known = (
        kept.get("answers", {}).get(captioner.encoder.form)
        if kept.get("of") == made_of(captioner.card, first)
        else None
    )
    return {**(known or answer_message(first)), "run": first.run, "photo": str(first.source)}


def made_of(card: Card, first: FirstAnswer) -> dict[str, Any]:
    """All that an answer depends on but the form: the checkpoint's files, how it searches, the photo, the messages."""
    return {
        "checkpoint": card.sha256,
        "beam size": card.beam_size,
        "length penalty": card.length_penalty,
        "may repeat": list(card.may_repeat),
        "photo format": json.loads(json.dumps(asdict(card.photo))),
        "photo": hashlib.sha256(first.source.read_bytes()).hexdigest(),
        "version": VERSION,
    }


def answer_message(first: FirstAnswer) -> Message:
    """What the model finds, as it travels, without what each server says for itself."""
    message = WordPool().fold(update_message(first.found()))
    return {name: value for name, value in message.items() if name not in OF_SERVER}


def main() -> None:
    """Write the record."""
    answers, of = {}, {}
    for form in FORMS:
        try:
            captioner = Captioner.load(form=form)
        except FormError:
            continue
        first = first_answer(Engine(captioner, files_folder()), 0)
        assert first is not None, "two examples are the project's own"
        of, answers[form] = made_of(captioner.card, first), answer_message(first)
    RECORD.write_text(json.dumps({"of": of, "answers": answers}, ensure_ascii=False) + "\n", encoding="utf-8")


def _read(record: Path) -> dict[str, Any]:
    try:
        kept = json.loads(record.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


if __name__ == "__main__":
    main()
