"""Every sentence that the page can be told has its Korean, and a browser gets the language that its page has."""

import ast
import re
import string
from pathlib import Path

import pytest

from demo.gate import TOO_LARGE_UPLOAD
from demo.korean import SENTENCES, in_korean, reads_korean, told

ROOT = Path(__file__).resolve().parent.parent
HANGUL = re.compile("[가-힣]")
# Modules whose refusals a browser can meet, and the calls that make one.
PAGE = ("demo/handlers.py", "demo/knobs.py", "demo/line.py", "demo/page.py", "demo/studio.py", "demo/takeaway.py")
PAGE += ("demo/whatif.py", "captioner/sentences.py", "captioner/settings.py")
RAISED = {"SettingsError", "PhotoError", "BusyError", "Refusal"}


def sentences(path: str):
    """The sentences that a module raises, each varying part written as a word."""
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    names = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED):
            continue
        said = node.args[0]
        if isinstance(said, ast.JoinedStr):
            yield "".join(each.value if isinstance(each, ast.Constant) else "7" for each in said.values)
        elif isinstance(said, ast.Constant):
            yield said.value
        elif isinstance(said, ast.Name) and said.id in names:
            yield names[said.id]


@pytest.mark.parametrize("path", PAGE)
def test_every_refusal_of_a_module_is_known_in_korean(path):
    said = list(sentences(path))
    assert said or path == "demo/page.py"
    for sentence in said:
        assert HANGUL.search(in_korean(sentence)), sentence


def test_a_photo_too_large_to_be_sent_is_refused_in_korean():
    assert "40 MB" in TOO_LARGE_UPLOAD
    assert "40 MB" in in_korean(TOO_LARGE_UPLOAD)
    assert HANGUL.search(in_korean(TOO_LARGE_UPLOAD))


def test_the_parts_that_vary_stay():
    assert "3 × 5" in in_korean("This image is only 3 × 5 pixels; please use one of at least 16 pixels a side.")
    assert "'<b>{0}'" in in_korean("the model does not know the word '<b>{0}'; please use another")


def test_a_korean_sentence_asks_for_no_part_that_is_not_there():
    for english, korean in SENTENCES.items():
        fields = {int(name) for _, name, _, _ in string.Formatter().parse(korean) if name is not None}
        assert fields <= set(range(english.count("{}"))), english


@pytest.mark.parametrize(
    ("header", "korean"),
    [("ko-KR,ko;q=0.9,en;q=0.8", True), ("ko", True), ("en-US,ko;q=0.9", False), ("", False), (None, False)],
)
def test_the_first_language_of_the_browser_decides(header, korean):
    headers = {} if header is None else {"accept-language": header}
    assert reads_korean(headers) is korean
    assert bool(HANGUL.search(told("Please choose a place on the photo first.", headers))) is korean


def test_a_sentence_without_korean_stays_as_it_is():
    assert in_korean("Something else.") == "Something else."
