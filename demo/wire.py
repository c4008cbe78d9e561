"""What travels: every word and every map of a run once, and captions as lists of places among them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from captioner.tree import SearchTree
from demo.payload import Payload, short

MAP_KEYS = ("a", "m", "h", "b", "alt")


class WordPool:
    """Turns the payloads of one run into messages that only ever add to the words sent before.

    Gradio sends the difference between two messages, so what stays in its place costs nothing.
    The words of one step share a map, so a runner-up's word costs a few bytes. `static/wire.js`
    is the inverse.
    """

    def __init__(self) -> None:
        self._words: list[list[Any]] = []
        self._places: dict[str, int] = {}  # of words among those sent; of maps, the place of the word they came with

    def fold(self, payload: Mapping[str, Any]) -> Payload:
        """The payload with all ``words`` sent so far, and places among them for the captions' words.

        ``words`` are triples of text, probability and map, which is what `demo.payload.word_payload`
        says of a step, or the place of an earlier word of that step. ``shown`` is the leading guess.
        """
        shown = self._listed(payload.get("words", ()))
        captions = [{**each, "words": self._listed(each["words"])} for each in payload.get("captions", ())]
        return {**payload, "captions": captions, "shown": shown, "words": [*self._words]}

    def _listed(self, words: Sequence[Payload]) -> list[int]:
        return [self._word(word) for word in words]

    def _word(self, word: Payload) -> int:
        seen = {key: word[key] for key in MAP_KEYS}
        key = repr((word["w"], word["p"], seen))
        if key not in self._places:
            self._places[key] = len(self._words)
            first = self._places.setdefault(repr(seen), len(self._words))
            self._words.append([word["w"], word["p"], seen if first == len(self._words) else first])
        return self._places[key]


def tree_payload(tree: SearchTree) -> Payload:
    """The search so far: branches as triples of parent, word and log-probability; the race's tips, best first.

    Nothing for a single line of words, which is no more than the caption.
    """
    if len(tree.race) < 2 and len({branch.parent for branch in tree.branches}) == len(tree.branches):
        return {"branches": [], "race": []}
    branches = [[branch.parent, branch.word, short(branch.log_prob)] for branch in tree.branches]
    return {"branches": branches, "race": list(tree.race)}
