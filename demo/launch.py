"""How the page looks: system fonts only, since a lecture hall may have no network."""

from __future__ import annotations

from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from demo.door.middleware import MAX_UPLOAD, Gate
from demo.page.player import page_head, read_static
from demo.page.ui import WORDS
from demo.runs.sessions import MAX_SESSIONS

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Noto Sans KR", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")


def launch_options() -> dict[str, Any]:
    """Keyword arguments for `gr.Blocks.launch` that make this page what it is."""
    return {
        "theme": gr.themes.Base(
            primary_hue=gr.themes.colors.orange,
            neutral_hue=gr.themes.colors.stone,
            font=list(SANS),
            font_mono=list(MONO),
            radius_size=gr.themes.sizes.radius_lg,
        ),
        "css": read_static("page.css"),
        "footer_links": [],
        "i18n": WORDS,
        "ssr_mode": False,
        "pwa": False,
        "share": False,
        "max_file_size": MAX_UPLOAD,
        "state_session_capacity": MAX_SESSIONS,  # Gradio keeps a copy of the page for each
        "app_kwargs": {"middleware": [Middleware(Gate, head=page_head())]},
        "show_error": True,
    }
