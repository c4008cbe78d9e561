import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import pytest
from tiny import make_checkpoint

from captioner.card import Card, read_card
from captioner.pipeline import DEFAULT_CHECKPOINT
from demo.page.about import PUBLISHED
from demo.page.about import about as about_in_form
from demo.texts import english, korean

VOID = {"br", "img", "input", "link", "meta", "hr"}
SCORES = {
    "flickr8k val, 9 photos, beam size 3, temperature 0": {"BLEU-1": 61.234, "BLEU-4": 21.04, "CIDEr": 0.5571},
    "flickr8k val, 9 photos, beam size 5, temperature 0": {"BLEU-1": 1.0, "BLEU-4": 2.0},
    "flickr8k val, 9 photos, beam size 3, temperature 1": {"BLEU-1": 3.0, "BLEU-4": 4.0},
    "another val, 9 photos, beam size 3, temperature 0": {"BLEU-1": 5.0, "BLEU-4": 6.0},
    "flickr8k val, 9 photos, nouns": {
        "phrases": 12193,
        "pointing": 0.8,
        "pointing, middle": 0.2,
        "correctness": 0.7,
        "edge, of the photo": 0.1,
    },
    "flickr8k val, 9 photos, own nouns": {"phrases": 7, "pointing": 0.5, "pointing, middle": 0.4},
}


class Tree(HTMLParser):
    """Every element as (tag, attributes, all text within it), in order of their ends; fails on crossed tags."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.open: list[tuple[str, dict[str, str | None], list[str]]] = []
        self.elements: list[tuple[str, dict[str, str | None], str]] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        assert tag not in VOID, "the card needs none"
        self.open.append((tag, dict(attrs), []))

    def handle_endtag(self, tag):
        name, attributes, text = self.open.pop()
        assert name == tag
        self.elements.append((tag, attributes, "".join(text)))

    def handle_data(self, data):
        for _, _, text in self.open:
            text.append(data)

    def all(self, tag: str) -> list[str]:
        return [text for name, _, text in self.elements if name == tag]


def about(card: Card, language: str = "en") -> str:
    return about_in_form(card, "int8", "OpenVINO 1", language)


def card(**fields) -> Card:
    return replace(make_checkpoint().card, beam_size=3, **fields)


def figures(html: str) -> dict[str, list[tuple[str, float]]]:
    """Of each picture the lines of its bars with their lengths, the longest being 1."""
    found = {}
    for figure in re.findall("<figure>.*?</figure>", html):
        bars = re.findall(r'<li class="[^"]*">(.*?)<i aria-hidden="true" style="--share: ([\d.]+)"></i></li>', figure)
        found[Tree(figure).all("h3")[0]] = [(Tree(f"<p>{line}</p>").all("p")[0], float(share)) for line, share in bars]
    return found


def tables(html: str) -> list[list[list[str]]]:
    rows = [re.findall("<tr>(.*?)</tr>", table) for table in re.findall("<table>.*?</table>", html)]
    return [[re.findall("<t[hd][^>]*>(.*?)</t[hd]>", row) for row in each] for each in rows]


def test_its_own_scores_stand_beside_published_ones_in_proportion():
    drawn = figures(about(card(scores=SCORES)))["BLEU-4"]
    assert [line for line, _ in drawn] == [
        "This model (val) 21.0",
        "Hard attention, Xu et al. 2015 (test) 21.3",
        "Soft attention, Xu et al. 2015 (test) 19.5",
        "Show and Tell, Vinyals et al. 2014 (test) –",
    ]
    assert [share for _, share in drawn] == pytest.approx([21.04 / 21.3, 1, 19.5 / 21.3, 0], abs=1e-4)


def test_the_picture_says_on_which_photos_each_was_measured():
    (note,) = [text for text in Tree(about(card(scores=SCORES))).all("p") if "Table 1" in text]
    assert "This model: flickr8k val, 9 photos, beam size 3, temperature 0." in note
    assert "test photos" in note


@pytest.mark.parametrize("left_out", ["another data set", "another beam size", "drawn"])
def test_scores_that_cannot_be_compared_are_in_no_picture(left_out):
    first, *_ = SCORES
    other = {
        "another data set": first.replace("flickr8k", "everyday"),
        "another beam size": first.replace("size 3", "size 30"),
        "drawn": first.replace("temperature 0", "temperature 0.5"),
    }[left_out]
    html = about(card(scores={other: SCORES[first]}))
    assert figures(html) == {}
    assert english.GOOD_HEAD not in html
    assert "21.0" in html, "it is among all numbers"


def test_maps_are_compared_on_one_scale_with_the_meaning_of_the_measure():
    html = about(card(scores=SCORES))
    drawn = figures(html)["Pointing"]
    assert drawn == [
        ("the word's own map 0.800", 1),
        ("middle 0.200", 0.25),
        ("the word's own map 0.500", 0.625),
        ("middle 0.400", 0.5),
    ]
    assert Tree(html).all("h4") == ["nouns (12,193)", "own nouns (7)"]
    assert english.MEASURES["pointing"][1] in Tree(html).all("p")
    tree = Tree(html)
    assert list(zip(tree.all("dt"), tree.all("dd"), strict=True)) == [
        ("Correctness 0.700", english.MEASURES["correctness"][1])
    ]


def test_every_number_of_the_card_can_be_opened_by_its_key():
    captions, others, nouns, own, published = tables(about(card(scores=SCORES)).partition("<details>")[2])
    assert captions[0][1:] == ["BLEU-1", "BLEU-4", "CIDEr"]
    assert captions[1:] == [
        ["beam size 3, temperature 0", "61.2", "21.0", "0.557"],
        ["beam size 5, temperature 0", "1.00", "2.00", "–"],
        ["beam size 3, temperature 1", "3.00", "4.00", "–"],
    ]
    assert others[1:] == [["temperature 0", "5.00", "6.00"]]
    assert nouns[0][1:] == ["the word&#x27;s own map", "middle", "of the photo"]
    assert nouns[1:] == [
        ["phrases", "12,193", "–", "–"],
        ["pointing", "0.800", "0.200", "–"],
        ["correctness", "0.700", "–", "–"],
        ["edge", "–", "–", "0.100"],
    ]
    assert own[2] == ["pointing", "0.500", "0.400"]
    assert [row[1:] for row in published[1:]] == [
        [f"{each:.3g}" for each in scores.values()] + ["–"] * (4 - len(scores)) for scores in PUBLISHED.values()
    ]


def test_what_all_names_begin_with_stands_once():
    scores = {"val, 9 photos, beam size 3": {"BLEU-4": 21.0}, "val, 9 photos, beam size 5": {"BLEU-4": 22.0}}
    html = about(card(scores=scores))
    assert "val, 9 photos" in Tree(html).all("h3")
    assert [row[0] for row in tables(html)[0][1:]] == ["beam size 3", "beam size 5"]


def test_says_what_it_was_trained_on_where_it_fails_and_the_terms():
    html = about(
        card(
            training={"data": "Nine photos of dogs."},
            failures={"a chairlift": "a man does a trick on a bicycle"},
            licence="Non-commercial.",
            limits="Mostly dogs.",
        )
    )
    tree = Tree(html)
    assert tree.all("h2") == [
        english.TRAINED_HEAD,
        english.LIMITS_HEAD,
        english.TERMS_HEAD,
        english.NUMBERS_HEAD,
    ]
    for said in ("Nine photos of dogs.", "Mostly dogs.", "Non-commercial."):
        assert said in tree.all("p")
    assert "On the photo: a chairlift It wrote: a man does a trick on a bicycle" in tree.all("li")
    assert "in the form int8, by OpenVINO 1" in html


@pytest.mark.parametrize("language", ["en", "ko"])
def test_headings_leave_no_level_out(language):
    html = about(card(scores=SCORES, failures={"a": "b"}, limits="c", training={"data": "d"}), language)
    levels = [1, *(int(level) for level in re.findall(r"<h(\d)>", html))]
    assert len(levels) > 10
    assert all(after <= before + 1 for before, after in pairwise(levels))


MARKUP = "<img src=x onerror=alert(1)> \"'> </q></li></details><script>alert(2)</script> & ${1} {{value}} {0}"


@pytest.mark.parametrize("language", ["en", "ko"])
def test_a_card_cannot_put_markup_on_the_page(language):
    row = {"BLEU-4": 3.0, MARKUP: MARKUP}
    hostile = card(
        name=MARKUP,
        limits=MARKUP,
        licence=MARKUP,
        failures={MARKUP: MARKUP},
        training={"data": MARKUP},
        scores={
            MARKUP: row,
            f"flickr8k val, {MARKUP}, beam size 3, temperature 0": row,
            f"x, {MARKUP}": {f"pointing, {MARKUP}": 1.0, "pointing": 0.5, MARKUP: 2.0, "deletion": MARKUP},
        },
    )
    html = about(hostile, language)
    tree = Tree(html)
    own = {"article", "section", "div", "h2", "h3", "h4", "p", "b", "i", "q", "figure", "figcaption", "ul", "li"}
    own |= {"span", "dl", "dt", "dd", "details", "summary", "table", "thead", "tbody", "tr", "th", "td"}
    assert {tag for tag, _, _ in tree.elements} <= own
    known = {"class", "lang", "style", "scope", "tabindex", "role", "aria-label", "aria-hidden"}
    assert {name for _, attributes, _ in tree.elements for name in attributes} <= known
    assert sum(MARKUP in text for text in tree.all("p")) >= 4, "it is there, as text"
    assert MARKUP in tree.all("q")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1.0, 0, 0.0, None, "7", [1], {}])
def test_a_number_that_is_none_draws_no_bar(value):
    name = "flickr8k val, 9 photos, beam size 3, temperature 0"
    drawn = figures(about(card(scores={name: {"BLEU-4": value}})))["BLEU-4"]
    assert [share for _, share in drawn] == [0, 1, round(19.5 / 21.3, 4), 0]


@pytest.mark.parametrize("data", [None, ["a list"], 7, {"a": "b"}])
def test_training_data_in_another_form_is_left_out(data):
    assert english.TRAINED_HEAD not in about(card(training={"data": data}))


def test_a_model_without_scores_has_no_picture_and_no_table():
    html = about(make_checkpoint().card)
    assert "<figure" not in html
    assert "<table" not in html
    assert "in the form int8, by OpenVINO 1" in html


@pytest.mark.skipif(not (DEFAULT_CHECKPOINT / "card.json").is_file(), reason="the bundled checkpoint is not here")
@pytest.mark.parametrize("texts", [english, korean], ids=["en", "ko"])
def test_the_bundled_card_has_every_section_and_measure(texts):
    bundled = read_card(DEFAULT_CHECKPOINT / "card.json")
    tree = Tree(about(bundled, "ko" if texts is korean else "en"))
    heads = ("TRAINED", "GOOD", "LOOKS", "LIMITS", "TERMS", "NUMBERS")
    assert tree.all("h2") == [getattr(texts, f"{each}_HEAD") for each in heads]
    for _, meaning in texts.MEASURES.values():
        assert meaning in tree.all("p") + tree.all("dd")
    assert len(tree.all("q")) == len(bundled.failures)
    text = "".join(tree.all("article"))
    numbers = {value for row in bundled.scores.values() for value in row.values()}
    assert all((f"{each:,}" if isinstance(each, int) else f"{each:#.3g}".replace("-", "−")) in text for each in numbers)


def test_both_languages_explain_the_same():
    for name in ("MEASURES", "BLEU", "PUBLISHED"):
        assert getattr(english, name).keys() == getattr(korean, name).keys()
    assert english.PUBLISHED.keys() == PUBLISHED.keys()
