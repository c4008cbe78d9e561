"""Every sentence of the server's stands in one room, each has its Korean, and a browser gets its page's language."""

import ast
import re
import string
from pathlib import Path

import pytest

from captioner.card import read_card
from captioner.pipeline import DEFAULT_CHECKPOINT
from demo.page.about import about
from demo.texts import english, in_korean, korean, language, of_model, told
from demo.texts.korean import SENTENCES

ROOT = Path(__file__).resolve().parent.parent.parent
HANGUL = re.compile("[가-힣]")
RAISED = {"SettingsError", "PhotoError", "BusyError", "Refusal", "MessageError", "MultiPartException"}
# Modules of the captioner whose refusals a browser can meet, which keep their sentences themselves.
CAPTIONER = ("captioner/photo.py", "captioner/vocabulary.py", "captioner/settings.py")
# Said to whoever calls from Python: no browser can send an array, or an object that is no photo.
OF_PYTHON = ("A photo must be", "An array must be", "A mask must be")


def written(node, size="") -> str | None:
    """The text of a literal, each varying part written as a number; ``size`` where a part may be left out."""
    if isinstance(node, ast.JoinedStr):
        free = [isinstance(each, ast.FormattedValue) and ast.unparse(each.value) for each in node.values]
        parts = zip(free, node.values, strict=True)
        return "".join(each.value if not name else size if name == "size" else "7" for name, each in parts)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def calls(path: Path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in RAISED
    ]


def sentences(path: Path):
    """The sentences that a module refuses with: raised as they are, or returned by a function of its own."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    made = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    assigned = [(node.targets[0], node.value) for node in tree.body if isinstance(node, ast.Assign)]
    constants = {target.id: value for target, value in assigned if isinstance(target, ast.Name)}
    for call in calls(path):
        said = call.args[0]
        if isinstance(said, ast.Call) and isinstance(said.func, ast.Name) and said.func.id in made:
            returned = [node.value for node in ast.walk(made[said.func.id]) if isinstance(node, ast.Return)]
            yield from (written(each, size) for each in returned for size in ("", " (7 × 7)"))
        else:
            yield written(constants.get(said.id, said) if isinstance(said, ast.Name) else said)


def refusals() -> dict[str, str]:
    """The English constants of the part that has its Korean, by name."""
    source = Path(english.__file__).read_text(encoding="utf-8")
    end = source.index("# --- the page:")
    return dict(re.findall(r'^([A-Z_]+) = "(.*)"$', source[:end], re.MULTILINE))


@pytest.mark.parametrize("path", CAPTIONER)
def test_every_refusal_of_the_captioner_is_known_in_korean(path):
    said = [each for each in sentences(ROOT / path) if each is None or not each.startswith(OF_PYTHON)]
    assert said
    for sentence in said:
        assert sentence is not None, "a refusal whose sentence this test cannot read"
        assert HANGUL.search(in_korean(sentence)), sentence


@pytest.mark.parametrize("name", refusals())
def test_every_refusal_of_the_page_is_known_in_korean(name):
    sentence = getattr(english, name)
    assert sentence == refusals()[name]
    assert sentence in SENTENCES
    assert HANGUL.search(in_korean(sentence.replace("{}", "7")))


def test_no_module_of_the_page_keeps_a_sentence_to_itself():
    modules = [path for path in ROOT.glob("demo/**/*.py") if calls(path)]
    assert len(modules) > 5
    for path in modules:
        kept = [written(call.args[0]) for call in calls(path) if call.args and written(call.args[0])]
        assert kept == [], path


def test_a_photo_too_large_to_be_sent_is_refused_in_korean():
    assert "40 MB" in in_korean(english.TOO_LARGE_UPLOAD.format(40))


def test_the_parts_that_vary_stay():
    assert "3 × 5" in in_korean("This image is only 3 × 5 pixels; please use one of at least 16 pixels a side.")
    assert "'<b>{0}'" in in_korean("the model does not know the word '<b>{0}'; please use another")
    assert "3개씩 14줄" in in_korean("mask must be 14 rows of 3 numbers, got 5 rows of 6")
    assert "6개씩 5줄" in in_korean("mask must be 14 rows of 3 numbers, got 5 rows of 6")


def test_a_part_that_is_a_word_is_korean_too():
    sentence = "{} must be a whole number, got nothing"
    for name in ("beam_size", "beam size"):
        assert in_korean(sentence.format(name)) == "빔 크기은(는) 정수여야 합니다. 받은 값: 없음"


def test_a_korean_sentence_asks_for_no_part_that_is_not_there():
    for sentence, translated in SENTENCES.items():
        fields = {int(name) for _, name, _, _ in string.Formatter().parse(translated) if name is not None}
        assert fields <= set(range(sentence.count("{}"))), sentence


def test_both_languages_name_the_same_things():
    assert english.PAGE.keys() == korean.PAGE.keys()


@pytest.mark.parametrize(
    ("accepted", "is_korean"),
    [
        ("ko-KR,ko;q=0.9,en;q=0.8", True),
        ("ko", True),
        ("KO", True),
        ("en-US,ko;q=0.9", False),
        ("fr,ko;q=0.9", False),
        ("kok-IN", False),
        ("", False),
        (None, False),
    ],
)
@pytest.mark.parametrize(
    "address", [None, "https://example.org/captions/", "https://example.org/?lang=fr", "http://[/?lang"]
)
def test_the_first_language_of_the_browser_decides(accepted, is_korean, address):
    headers = {"accept-language": accepted, "referer": address}
    headers = {name: value for name, value in headers.items() if value is not None}
    assert language(headers) == ("ko" if is_korean else "en")
    assert bool(HANGUL.search(told(english.NO_PLACE, headers))) is is_korean


@pytest.mark.parametrize("accepted", ["ko-KR,ko;q=0.9", "en-US", ""])
@pytest.mark.parametrize(("asked", "expected"), [("ko", "ko"), ("en", "en"), ("ko-KR", "ko")])
def test_what_the_address_asks_for_comes_first(accepted, asked, expected):
    referer = f"http://127.0.0.1:7860/?beam=3&lang={asked}&photo=Corgi"
    assert language({"accept-language": accepted, "referer": referer}) == expected


@pytest.mark.skipif(not (DEFAULT_CHECKPOINT / "card.json").is_file(), reason="the bundled checkpoint is not here")
def test_all_that_the_bundled_card_says_is_known_in_korean():
    card = read_card(DEFAULT_CHECKPOINT / "card.json")
    for said in (card.limits, card.licence, card.training["data"], *card.failures):
        assert HANGUL.search(of_model(said, "ko")), said
        assert of_model(said, "en") == said
    text = about(card, "int8", "OpenVINO 1", "ko")
    english_too = re.compile("<q .*?</q>|<[^>]*>|everyday val|Show,? (Attend )?and Tell")  # its captions, and names
    left = english_too.sub("", text)
    assert re.findall(r"[a-z]{3,} [a-z]{3,}", left) == []


def test_a_sentence_without_korean_stays_as_it_is():
    assert in_korean("Something else.") == "Something else."
