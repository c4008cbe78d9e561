"""A browser tab without the browser: the page's own events over Gradio's protocol."""

from __future__ import annotations

import json
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

PATIENCE = 300


class Tab:
    """A tab with a session of its own.

    Args:
        address: of the page.
    """

    def __init__(self, address: str) -> None:
        self._client = httpx.Client(base_url=address, timeout=PATIENCE, trust_env=False)
        self._session = secrets.token_hex(6)
        config = self._client.get("/config").raise_for_status().json()
        self._events = {event["api_name"]: event["id"] for event in config["dependencies"] if event["api_name"]}

    def upload(self, photo: Path) -> dict[str, Any]:
        """Send a file; what comes back stands for it in an event."""
        files = {"files": (photo.name, photo.read_bytes())}
        path = self._client.post("/gradio_api/upload", files=files).raise_for_status().json()[0]
        return {"path": path, "meta": {"_type": "gradio.FileData"}}

    def messages(self, event: str, data: list[Any], event_data: Any = None) -> Iterator[dict[str, Any]]:
        """What an event brings, as it comes; a caller that stops listening has left in mid-stream."""
        asked = {"fn_index": self._events[event], "session_hash": self._session}
        asked |= {"data": data, "event_data": event_data}
        joined = self._client.post("/gradio_api/queue/join", json=asked).raise_for_status().json()["event_id"]
        waiting = {"session_hash": self._session}
        with self._client.stream("GET", "/gradio_api/queue/data", params=waiting) as stream:
            for line in stream.raise_for_status().iter_lines():
                message = json.loads(line[6:]) if line.startswith("data: ") else {}
                if message.get("event_id") == joined:
                    yield message
                if message.get("msg") in ("process_completed", "close_stream"):
                    return

    def close(self) -> None:
        """Close all connections."""
        self._client.close()


def problem(messages: list[dict[str, Any]]) -> str:
    """What the person was told instead of an answer, empty if nothing went wrong."""
    toasts = [each["log"] for each in messages if each["msg"] == "log"]
    last = next((each for each in messages if each["msg"] == "process_completed"), None)
    if last is None:
        return "the stream broke off"
    return toasts[0] if toasts else "" if last["success"] else str(last["output"].get("error"))
