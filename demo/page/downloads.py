"""Taking a caption along: an offline page, an animation, the paper's figure, the numbers."""

from __future__ import annotations

import base64
import json
import re
import secrets
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import FileData, GradioModel

from captioner.caption import Caption, record
from captioner.pipeline import Guess
from captioner.render import ANIMATION_SUFFIXES, Style, save_animation, save_figure
from captioner.search import SettingsError
from captioner.settings import shown as excerpt
from demo.gradio_inside import NoStub
from demo.page.player import PlayerData, player_css, player_html, player_props, read_static, static_script
from demo.protocol.payload import WordPool, guess_message, tree_message
from demo.runs.updates import Result
from demo.texts import Language, english

KINDS = ("html", "gif", "webp", "png", "pdf", "svg", "json")

OFFLINE_PAGE = """<!doctype html>
<html lang="{language}">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Show, Attend and Tell</title>
<style>
body {{ margin: 0; padding: 2vw; font-family: system-ui, sans-serif; }}
body {{ background: var(--background-fill-primary, #fff); }}
@media (prefers-color-scheme: dark) {{
  :root {{ --body-text-color: #f5f5f4; --background-fill-primary: #0f0e0d; --border-color-primary: #44403c; }}
}}
body {{ color: var(--body-text-color, #1c1917); }}
.sat-header, .sat-credit {{ padding: 0 0 14px; line-height: 1.4; }}
.sat-header :is(h1, p) {{ margin: 0; }}
.sat-header h1 {{ font-size: clamp(20px, 1.8vw, 30px); }}
.sat-credit {{ padding: 28px 0 0; font-size: 14px; }}
.sat-credit a {{ color: inherit; }}
#player {{ {css} }}
</style>
{header}
<main id="player">{html}</main>
<footer class="sat-credit"><a href="https://arxiv.org/abs/1502.03044"></a> <span></span></footer>
<script type="application/json" id="data">{data}</script>
<script>
Object.defineProperty(navigator, 'language', {{ get: () => document.documentElement.lang }});
if (matchMedia('(prefers-color-scheme: dark)').matches) document.documentElement.classList.add('dark');
(function (element, props, watch, trigger) {{
{script}
}})(
  document.body,
  {{ value: JSON.parse(document.getElementById('data').textContent), ...{props} }},
  () => {{}},
  null,
);
</script>
</html>
"""


class DownloadData(GradioModel):
    """The file that was made; a new ``turn`` tells the page that the work has ended."""

    turn: str = ""
    file: FileData | None = None


class DownloadButtons(gr.HTML, metaclass=NoStub):
    """A row of buttons; ``take`` fires with the kind, the caption's index and the look."""

    data_model = DownloadData

    def __init__(self, **options: Any) -> None:
        super().__init__(
            html_template='<div class="sat-takeaway" role="group"></div>',
            css_template=read_static("components.css"),
            js_on_load=static_script("components.js", "startDownloads"),
            apply_default_css=False,
            kinds=list(KINDS),
            **options,
        )

    def postprocess(self, value: Path | None) -> DownloadData:  # type: ignore[override]
        """A written file, or None if nothing was made."""
        file = FileData(path=str(value), orig_name=value.name) if value else None
        return DownloadData(turn=secrets.token_hex(4), file=file)

    def preprocess(self, payload: DownloadData | None) -> None:  # type: ignore[override]
        """Nothing comes back but the event."""
        return None

    def api_info(self) -> dict[str, Any]:
        """A file."""
        return {"type": "object", "description": "a file"}


def write_download(
    result: Result, index: int, kind: str, style: Style, folder: Path, language: Language = "en"
) -> Path:
    """Write one caption of a finished search as a file of this kind, named by its first words.

    A web page is in ``language``; the other kinds hold no words but the caption's.

    Raises:
        SettingsError: if there is no such caption or kind.
    """
    if kind not in KINDS:
        raise SettingsError(english.NO_SUCH_FILE.format(", ".join(KINDS), excerpt(kind)))
    if not 0 <= index < len(result.found):
        raise SettingsError(english.NO_SUCH_CAPTION)
    about = result.found[index]
    caption, view = about.caption, about.shown.photo.view
    path = folder / secrets.token_hex(16) / f"{_slug(caption)}.{kind}"
    path.parent.mkdir(parents=True)
    if kind == "json":
        path.write_text(json.dumps(record(caption, asdict(about.settings)), ensure_ascii=False), encoding="utf-8")
    elif kind == "html":
        path.write_text(offline_page(result, index, language), encoding="utf-8")
    elif f".{kind}" in ANIMATION_SUFFIXES:
        save_animation(view, caption, path, style)
    else:
        save_figure(view, caption, path, style)
    return path


def offline_page(result: Result, index: int, language: Language = "en") -> str:
    """One HTML file that plays a caption with no server: the player's own files with the data and the photo inside.

    It holds the search's other captions of the same photo too.
    """
    about = result.found[index]
    shown = about.shown
    assert shown.view is not None, "every photo of a page has a view"
    others = (each.caption for each in result.found if each.shown is shown and each is not about)
    familiar = result.familiar if shown is result.found[0].shown else None
    message = guess_message(Guess((about.caption, *others), True, familiar), shown.grid)
    message |= {"phase": "done", "size": list(shown.size), "tree": tree_message(result.tree), "run": 1}
    url = "data:image/jpeg;base64," + base64.b64encode(shown.view.read_bytes()).decode("ascii")
    data = [PlayerData(**WordPool().fold(message)).model_dump() | {"photo": {"url": url}}]
    # A word may hold any text: no "<" means no tag can end the script element early.
    safe = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return OFFLINE_PAGE.format(
        language=language,
        css=player_css(),
        header=read_static("header.html"),
        html=player_html(),
        script=static_script("offline.js", "startOffline"),
        data=safe,
        props=json.dumps(player_props(), ensure_ascii=False),
    )


def _slug(caption: Caption) -> str:
    words = re.sub(r"[^a-z0-9]+", "-", caption.text.lower()).strip("-")
    return words[:60].strip("-") or "caption"
