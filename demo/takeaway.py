"""Taking a caption along: an offline page, an animation, the paper's figure, the numbers."""

from __future__ import annotations

import json
import re
import secrets
from dataclasses import asdict
from pathlib import Path

from captioner.caption import Caption
from captioner.pipeline import Guess
from captioner.render import ANIMATION_SUFFIXES, Style, record, save_animation, save_figure
from captioner.search import SettingsError
from captioner.settings import shown as excerpt
from demo.offline import offline_page
from demo.payload import guess_payload
from demo.sessions import Result
from demo.whatif import NO_SUCH_CAPTION
from demo.wire import WordPool, tree_payload

KINDS = ("html", "gif", "webp", "png", "pdf", "svg", "json")


def write_takeaway(result: Result, index: int, kind: str, style: Style, folder: Path) -> Path:
    """Write one caption of a finished search as a file of this kind, named by its first words.

    Raises:
        SettingsError: if there is no such caption or kind.
    """
    if kind not in KINDS:
        raise SettingsError(f"The kind of file must be one of {', '.join(KINDS)}, got {excerpt(kind)}")
    if not 0 <= index < len(result.found):
        raise SettingsError(NO_SUCH_CAPTION)
    about = result.found[index]
    caption, shown = about.caption, about.shown
    view = shown.photo.view
    path = folder / secrets.token_hex(16) / f"{_slug(caption)}.{kind}"
    path.parent.mkdir(parents=True)
    if kind == "json":
        path.write_text(json.dumps(record(caption, asdict(about.settings)), ensure_ascii=False), encoding="utf-8")
    elif kind == "html":
        others = (other.caption for other in result.found if other.shown is shown and other.caption is not caption)
        captions = (caption, *others)
        payload = guess_payload(Guess(captions, done=True), caption.alphas.shape[1:])
        payload |= {"phase": "done", "size": list(view.size), "tree": tree_payload(result.tree)}
        path.write_text(offline_page(WordPool().fold(payload), shown.view), encoding="utf-8")
    elif f".{kind}" in ANIMATION_SUFFIXES:
        save_animation(view, caption, path, style)
    else:
        save_figure(view, caption, path, style)
    return path


def _slug(caption: Caption) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", caption.text.lower()).strip("-")
    return words[:60].strip("-") or "caption"
