"""All captions on the page as one payload: where each came from, and of which photo it is."""

from __future__ import annotations

from collections.abc import Sequence

from gradio.data_classes import FileData

from demo.payload import Payload, caption_payload
from demo.sessions import Captioned


def result_payload(found: Sequence[Captioned], chosen: int) -> Payload:
    """The captions, each with its origin; one of another photo than the first brings that photo along."""
    listed = [_listed(each, found[0]) for each in found]
    return {"words": listed[chosen]["words"], "captions": listed, "chosen": chosen, "done": True}


def _listed(each: Captioned, first: Captioned) -> Payload:
    payload = {**caption_payload(each.caption), "origin": each.origin}
    if each.shown is not first.shown:
        payload["photo"] = FileData(path=str(each.shown.view)).model_dump()
    return payload
