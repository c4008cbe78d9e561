"""One HTML file that plays a caption with no server: the player's own files with the data inside."""

from __future__ import annotations

import base64
import json
from pathlib import Path

from demo.payload import Payload
from demo.player import PlayerData, player_css, player_html, player_script

PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>Show, Attend and Tell</title>
<style>
body {{ margin: 0; padding: 2vw; font-family: system-ui, sans-serif; }}
body {{ background: var(--background-fill-primary, #fff); }}
@media (prefers-color-scheme: dark) {{
  :root {{ --body-text-color: #f5f5f4; --background-fill-primary: #0f0e0d; --border-color-primary: #44403c; }}
}}
#player {{ {css} }}
</style>
<main id="player">{html}</main>
<script type="application/json" id="data">{data}</script>
<script>
if (matchMedia('(prefers-color-scheme: dark)').matches) document.documentElement.classList.add('dark');
(function (element, props, watch, trigger) {{
{script}
}})(
  document.getElementById('player'),
  {{ value: JSON.parse(document.getElementById('data').textContent) }},
  () => {{}},
  null,
);
</script>
</html>
"""


def offline_page(payload: Payload, photo: Path) -> str:
    """The page as text.

    Args:
        payload: of a finished search, as `demo.wire.WordPool` folds it.
        photo: a JPEG, carried inside as a data URL.
    """
    url = "data:image/jpeg;base64," + base64.b64encode(photo.read_bytes()).decode("ascii")
    data = [PlayerData(**{**payload, "run": 1, "photo": None}).model_dump() | {"photo": {"url": url}}]
    # A word may hold any text: no "<" means no tag can end the script element early.
    safe = json.dumps(data, ensure_ascii=False).replace("<", "\\u003c")
    return PAGE.format(css=player_css(), html=player_html(), script=player_script(), data=safe)
