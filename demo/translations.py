"""The few words that Gradio itself shows, in English and Korean; the player has its own."""

from __future__ import annotations

from typing import Any

import gradio as gr

ENGLISH = {
    "photo": "Your photo",
    "photo_hint": "# Your photo\nDrop, click or paste",
    "beam": "Beam size",
    "beam_hint": "Captions kept in the race",
    "temperature": "Temperature",
    "temperature_hint": "0: likeliest words. Above: drawn",
    "seed": "Seed",
    "seed_hint": "Same seed, same draw.",
    "dice": "New seed",
    "stop": "Stop",
    "about": "About this model",
}
KOREAN = {
    "photo": "내 사진",
    "photo_hint": "# 내 사진\n끌어다 놓기, 클릭, 붙여넣기",
    "beam": "빔 크기",
    "beam_hint": "함께 겨루는 문장 수",
    "temperature": "온도",
    "temperature_hint": "0은 가장 유력한 단어, 그 위는 추첨",
    "seed": "시드",
    "seed_hint": "시드가 같으면 결과도 같습니다.",
    "dice": "새 시드",
    "stop": "멈춤",
    "about": "이 모델에 대하여",
}

_I18N = gr.I18n(en=ENGLISH, ko=KOREAN)


def say(key: str) -> Any:
    """A text that the browser shows in its own language."""
    return _I18N(key)


def translations() -> gr.I18n:
    """For `launch(i18n=…)`."""
    return _I18N
