"""The JSON messages that Gradio's routes take, checked before Gradio reads them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from demo.gradio_inside import Event
from demo.texts import english

MAX_DEPTH = 32
SESSION = re.compile(r"[\w-]{1,64}", re.ASCII)

NONE = type(None)
KINDS: dict[str, tuple[type, ...]] = {
    "data": (list,),
    "session_hash": (str, NONE),
    "event_id": (str, NONE),
    "fn_index": (int, NONE),
    "trigger_id": (int, NONE),
    "oauth_token": (str, NONE),
    "simple_format": (bool,),
    "batched": (bool, NONE),
}


class MessageError(ValueError):
    """A message that is turned away: the answer's status and one sentence."""

    def __init__(self, sentence: str, status: int = 400) -> None:
        super().__init__(sentence)
        self.status = status


def parsed(body: bytes) -> dict[str, Any]:
    """The JSON object of a request's body.

    Raises:
        MessageError: if it is none, or is nested deeper than any message needs.
    """
    try:
        message = json.loads(body)
    except (ValueError, RecursionError):  # a number can have too many digits to be read
        raise MessageError(english.UNREADABLE_MESSAGE) from None
    if not isinstance(message, dict) or _deeper(message, MAX_DEPTH):
        raise MessageError(english.UNREADABLE_MESSAGE)
    return message


def check_fields(message: Mapping[str, Any]) -> None:
    """Refuse fields of another type than Gradio's; fields that it does not know are left to it, which ignores them.

    Raises:
        MessageError: naming the field.
    """
    for name, kinds in KINDS.items():
        if name in message and type(message[name]) not in kinds:
            raise MessageError(english.WRONG_FIELD.format(name))
    if message.get("batched"):
        raise MessageError(english.NO_BATCHES)
    session = message.get("session_hash")
    if session is not None and not SESSION.fullmatch(session):
        raise MessageError(english.WRONG_SESSION)


def check_event(functions: Mapping[int, Event], message: Mapping[str, Any], name: str) -> None:
    """Refuse a message for an event that does not exist: ``fn_index``, or else the endpoint's name in the URL.

    Raises:
        MessageError: with status 404.
    """
    number = message.get("fn_index")
    if number is None and name not in {each.api_name for each in functions.values()}:
        raise MessageError(english.NO_ENDPOINT, 404)
    if number is not None and number not in functions:
        raise MessageError(english.NO_ENDPOINT, 404)


def _deeper(value: Any, limit: int) -> bool:
    level = [value]
    for _ in range(limit):
        level = [child for each in level for child in _children(each)]
        if not level:
            return False
    return True


def _children(value: Any) -> list[Any]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
