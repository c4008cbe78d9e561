"""What a tab's messages say beside the words: its run, its photo, and all captions with where each came from."""

from __future__ import annotations

from collections.abc import Sequence

from gradio.data_classes import FileData

from captioner.override import Grid
from captioner.search import SearchSettings
from demo.payload import VERSION, Payload, caption_payload
from demo.sessions import Captioned, Change, Result, Shown
from demo.wire import tree_payload


def run_payload(shown: Shown, run: int, settings: SearchSettings, grid: Grid) -> Payload:
    """What every message of a run repeats."""
    return {
        "version": VERSION,
        "run": run,
        "photo": shown.view,
        "example": shown.name,
        "size": list(shown.photo.view.size),
        "grid": list(grid),
        "settings": [settings.beam_size, settings.temperature, settings.seed],
    }


def page_payload(result: Result, chosen: int, grid: Grid) -> Payload:
    """All captions on the page, as a message; ``chosen`` is the one to play."""
    first = result.found[0]
    base = run_payload(first.shown, result.run, first.settings, grid)
    base |= {"tree": tree_payload(result.tree), "phase": "done", "forgotten": result.forgotten}
    return {**base, **result_payload(result.found, chosen)}


def result_payload(found: Sequence[Captioned], chosen: int) -> Payload:
    """The captions, each with its origin; one of another photo than the first brings that photo along."""
    listed = [_listed(each, found[0]) for each in found]
    return {"words": listed[chosen]["words"], "captions": listed, "chosen": chosen, "done": True}


def _listed(each: Captioned, first: Captioned) -> Payload:
    payload = {**caption_payload(each.caption), "origin": each.origin}
    if each.settings != first.settings:
        payload["settings"] = [each.settings.beam_size, each.settings.temperature, each.settings.seed]
    if each.shown is not first.shown:
        payload["photo"] = FileData(path=str(each.shown.view)).model_dump()
    if each.change:
        payload["change"] = change_payload(each.change)
    return payload


def change_payload(change: Change) -> Payload:
    """A word's probabilities before and after, likeliest of either first, with the word that was written."""
    after = {other.word: other.probability for other in change.after.alternatives}
    words = {other.word: [other.probability, after[other.word]] for other in change.before.alternatives}
    words.setdefault(change.before.text, [change.before.probability, change.after.probability])
    ordered = sorted(words.items(), key=lambda item: -max(item[1]))
    return {
        "position": change.position,
        "word": change.before.text,
        "words": [[word, *(float(f"{chance:.4g}") for chance in chances)] for word, chances in ordered],
    }
