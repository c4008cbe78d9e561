"""What the server does beside the page: how it is launched, its port, its health, what it forgets, how it stops."""

from __future__ import annotations

import asyncio
import logging
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from captioner.checkpoint import CheckpointError
from captioner.encoder_form import Form, FormError, device_named
from captioner.pipeline import Captioner
from demo.door.log import LOG
from demo.door.middleware import MAX_UPLOAD, Gate
from demo.door.request_checks import impatient
from demo.gradio_inside import stop_serving, use_protocol
from demo.page.player import page_head, read_static
from demo.page.ui import WORDS, build
from demo.runs.kept import BudgetError, share_arenas, trim
from demo.runs.sessions import MAX_SESSIONS, Sessions

SANS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Noto Sans", "Noto Sans KR", "sans-serif")
MONO = ("ui-monospace", "SFMono-Regular", "Menlo", "Consolas", "monospace")
MAX_THREADS = 128  # one for each run at work or in line, and some for everything else
SWEEP_SECONDS = 10.0
STOP_SECONDS = 2


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


class ServerError(Exception):
    """The page cannot be served; the message says what to change."""


def serve(checkpoint: Path, port: int | None, form: Form | None = None, device: str = "cpu") -> int:
    """Load, build, launch, and wait to be interrupted; exit status 1 and one sentence if that cannot be.

    Raises:
        SystemExit: whatever a signal handler of the caller raises, once the server has stopped.
    """
    _log_requests()
    share_arenas()
    try:
        captioner = Captioner.load(checkpoint, device_named(device), form)
        LOG.info(
            "%s computes in the form %s, by %s", captioner.card.name, captioner.encoder.form, captioner.encoder.engine
        )
        page = started(captioner, port)
    except (CheckpointError, FormError) as error:
        return _said(f"The model could not be loaded. {error}")
    except (ServerError, BudgetError) as error:
        return _said(str(error))
    try:
        threading.Event().wait()
    finally:
        stop(page)
    return 0


def started(captioner: Captioner, port: int | None = None, **options: Any) -> gr.Blocks:
    """A page that is being served.

    Args:
        captioner: what answers.
        port: without it, the first free one from 7860.
        options: of `gr.Blocks.launch`, in the place of the page's own.

    Raises:
        ServerError: if the port is taken.
    """
    sessions = Sessions()
    page = build(captioner, sessions)
    trim()  # a loaded checkpoint leaves a third of the memory free
    launch = {**launch_options(), "server_port": port, "max_threads": MAX_THREADS, **options}
    launch["app_kwargs"] = {**launch.get("app_kwargs", {}), **_beside(captioner, sessions)}
    try:
        page.launch(**launch, prevent_thread_lock=True)
    except OSError as error:
        raise ServerError(f"Port {port} could not be opened; set PORT to a free one. ({error})") from None
    use_protocol(page, impatient)
    return page


def stop(page: gr.Blocks) -> None:
    """Stop serving: open streams end within two seconds, and Gradio deletes the files it made."""
    stop_serving(page, STOP_SECONDS)


def _beside(captioner: Captioner, sessions: Sessions) -> dict[str, Any]:
    """Arguments of the web application: `/healthz`, and a lifespan that forgets old sessions and gives memory back."""

    def health(_: Request) -> JSONResponse:
        form, engine = captioner.encoder.form, captioner.encoder.engine
        return JSONResponse({"status": "ok", "model": captioner.card.name, "form": form, "engine": engine})

    return {"routes": [Route("/healthz", health)], "lifespan": _sweeping(sessions)}


def _sweeping(sessions: Sessions) -> Callable[[Any], AbstractAsyncContextManager[None]]:
    async def sweep() -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            sessions.sweep()
            trim()

    @asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        task = asyncio.create_task(sweep())
        yield
        task.cancel()

    return lifespan


def _log_requests() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    LOG.addHandler(handler)
    LOG.setLevel(logging.INFO)
    LOG.propagate = False


def _said(sentence: str) -> int:
    print(sentence, file=sys.stderr)  # noqa: T201
    return 1
