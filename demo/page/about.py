"""What the page says about the loaded model, from its card: a card for people, and every number below it to open.

Only what was built here is markup; every other text is escaped.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from html import escape
from os.path import commonprefix
from types import ModuleType
from typing import Any, NamedTuple

import gradio as gr

from captioner.card import Card
from captioner.vocabulary import SPECIALS
from demo.gradio_inside import NoStub
from demo.page.player import read_static
from demo.texts import LANGUAGES, Language, english, korean, of_model

BLEU = ("BLEU-1", "BLEU-2", "BLEU-3", "BLEU-4")
IN_PICTURE = (BLEU[0], BLEU[-1])
# On Flickr8k's test photos, in percent, from Table 1 of Xu et al. 2015; it has no BLEU-4 of Show and Tell.
PUBLISHED: dict[str, dict[str, float]] = {
    "hard": dict(zip(BLEU, (67, 45.7, 31.4, 21.3), strict=True)),
    "soft": dict(zip(BLEU, (67, 44.8, 29.9, 19.5), strict=True)),
    "told": dict(zip(BLEU, (63, 41, 27), strict=False)),
}
SAME_PHOTOS = "flickr8k val"  # the data set that the published ones were measured on, its other split
OF_CAPTIONS = BLEU[-1]  # a row of scores that has it is one of captions

Row = Mapping[str, Any]
Bars = Mapping[str, Any]  # what each is of → its number, or nothing where there is none


class Html(str):
    """Markup, to be put on a page as it is."""

    __slots__ = ()


def element(tag: str, *content: str, **attributes: str) -> Html:
    """An element; its content is escaped where it is no `Html`, its attributes always are.

    An attribute is named as in Python: ``class_``, ``aria_label``. Content of none makes no element.
    """
    inside = joined(*content)
    if not inside and not attributes:
        return Html()
    named = "".join(f' {name.strip("_").replace("_", "-")}="{escape(value)}"' for name, value in attributes.items())
    return Html(f"<{tag}{named}>{inside}</{tag}>")


def joined(*content: str) -> Html:
    """One after the other, each escaped where it is no `Html`."""
    return Html("".join(each if isinstance(each, Html) else escape(each) for each in content))


class AboutModel(gr.HTML, metaclass=NoStub):
    """The card of a model in every language; the page's style shows the one that the page is in."""

    def __init__(self, card: Card, form: str, engine: str, **options: Any) -> None:
        super().__init__(
            value=joined(*(about(card, form, engine, each) for each in LANGUAGES)),
            css_template=read_static("components.css"),
            js_on_load=None,
            apply_default_css=False,
            **options,
        )


def about(card: Card, form: str, engine: str, language: Language = "en") -> Html:
    """The card in a language; ``form`` and ``engine`` are those that the encoder computes in here.

    What the card says in English alone stays so in any ``language``; the captions that the model wrote always do.
    """
    voice = Voice(korean if language == "ko" else english, partial(of_model, spoken=language))
    texts = voice.texts
    rows = {name: row for name, row in card.scores.items() if isinstance(row, dict)}
    sections = (
        (texts.TRAINED_HEAD, (_paragraph(voice.say(_text(card.training.get("data")))),)),
        (texts.GOOD_HEAD, _beside_published(rows, card, voice)),
        (texts.LOOKS_HEAD, _where_it_looks(rows, voice)),
        (texts.LIMITS_HEAD, (_paragraph(voice.say(card.limits)), _failures(card.failures, voice))),
        (texts.TERMS_HEAD, (_paragraph(voice.say(card.licence)),)),
        (texts.NUMBERS_HEAD, (_numbers(rows, card, form, engine, voice),)),
    )
    lead = texts.LEAD.format(card.name, card.encoder.grid, _words(card))
    shown = [_section(head, parts) for head, parts in sections]
    return element("article", _paragraph(lead), *shown, class_=f"sat-about sat-in-{language}", lang=language)


class Voice(NamedTuple):
    """A language: the page's own texts, and what the card says put into it."""

    texts: ModuleType
    say: Callable[[str], str]

    def name(self, name: str) -> str:
        """A name of scores, part by part."""
        return ", ".join(map(self.say, name.split(", ")))


def _section(head: str, parts: Iterable[Html]) -> Html:
    body = joined(*parts)
    return element("section", element("h2", head), element("div", body)) if body else body


def _paragraph(text: str) -> Html:
    return element("p", text)


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _words(card: Card) -> int:
    return card.decoder.vocabulary_size - len(SPECIALS)


# --- how good it is ---------------------------------------------------------------------------------------------------


def _beside_published(rows: Mapping[str, Row], card: Card, voice: Voice) -> tuple[Html, ...]:
    """Its own scores, with the card's beam size, beside what was published on the same data set."""
    name, own = _comparable(rows, card)
    if not own:
        return ()
    texts = voice.texts
    figures = [
        _figure(measure, texts.BLEU[measure], [("", _models(measure, own, texts))], texts.OWN_MODEL)
        for measure in IN_PICTURE
    ]
    note = texts.PUBLISHED_NOTE.format(voice.name(name))
    return element("div", *figures, class_="sat-about-figures"), element("p", note, class_="sat-about-note")


def _comparable(rows: Mapping[str, Row], card: Card) -> tuple[str, Row]:
    """The row of captions of the same data set's val that were found with the card's beam size, undrawn."""
    wanted = {SAME_PHOTOS, f"beam size {card.beam_size}", "temperature 0"}
    found = ((name, row) for name, row in rows.items() if OF_CAPTIONS in row and wanted <= set(name.split(", ")))
    return next(found, ("", {}))


def _models(measure: str, own: Row, texts: ModuleType) -> Bars:
    others = {texts.PUBLISHED[each]: scores.get(measure) for each, scores in PUBLISHED.items()}
    return {texts.OWN_MODEL: own.get(measure), **others}


# --- where it looks ---------------------------------------------------------------------------------------------------


def _where_it_looks(rows: Mapping[str, Row], voice: Voice) -> tuple[Html, ...]:
    """Each measure of maps that the page can explain: a picture where maps are compared, else its number."""
    texts = voice.texts
    of_maps = {name: row for name, row in rows.items() if OF_CAPTIONS not in row}
    compared = {name: _compared(row) for name, row in of_maps.items()}
    figures, facts = [], []
    for measure, (title, meaning) in texts.MEASURES.items():
        groups = [
            (_last(name, of_maps[name], voice), {_whose(each, voice): value for each, value in found[measure].items()})
            for name, found in compared.items()
            if measure in found
        ]
        if groups:
            figures.append(_figure(title, meaning, groups, texts.OWN_MAP))
        facts += [
            joined(element("dt", title, " ", element("b", _number(row[measure]))), element("dd", meaning))
            for name, row in of_maps.items()
            if measure in row and measure not in compared[name]
        ]
    parts = [element("div", *figures, class_="sat-about-figures") if figures else Html(), element("dl", *facts)]
    return (*parts, element("p", texts.CAUSE, class_="sat-about-note")) if figures or facts else ()


def _compared(row: Row) -> dict[str, dict[str, Any]]:
    """Each measure of several maps, named ``measure`` and ``measure, of whose map``: its scores by map."""
    found: dict[str, dict[str, Any]] = {}
    for key, value in row.items():
        measure, _, whose = key.partition(", ")
        found.setdefault(measure, {})[whose] = value
    return {measure: each for measure, each in found.items() if len(each) > 1}


def _whose(name: str, voice: Voice) -> str:
    return voice.name(name) if name else voice.texts.OWN_MAP


def _last(name: str, row: Row, voice: Voice) -> str:
    """What a row is of, without the photos: the last part of its name, and how many phrases there were."""
    of = voice.say(name.rsplit(", ", maxsplit=1)[-1])
    return f"{of} ({_number(row['phrases'])})" if "phrases" in row else of


# --- pictures ---------------------------------------------------------------------------------------------------------


def _figure(title: str, meaning: str, groups: Sequence[tuple[str, Bars]], own: str) -> Html:
    """Bars of one measure, groups of them below each other and all on one scale, which begins at 0."""
    longest = max((_length(value) for _, bars in groups for value in bars.values()), default=0.0)
    drawn = [joined(element("h4", name), _bars(bars, own, longest)) for name, bars in groups]
    return element("figure", element("figcaption", element("h3", title), _paragraph(meaning)), *drawn)


def _bars(bars: Bars, own: str, longest: float) -> Html:
    return element(
        "ul",
        *(
            element(
                "li",
                element("span", name),
                joined(" "),
                element("b", _number(value)),
                element("i", aria_hidden="true", style=f"--share: {_length(value) / (longest or 1):.4f}"),
                class_="sat-about-own" if name == own else "sat-about-other",
            )
            for name, value in bars.items()
        ),
    )


def _length(value: object) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) and value > 0 else 0.0


# --- what it cannot do ------------------------------------------------------------------------------------------------


def _failures(failures: Mapping[str, Any], voice: Voice) -> Html:
    if not failures:
        return Html()
    texts = voice.texts
    each = [
        element(
            "li",
            element("span", texts.FAILURE_SHOWN, element("b", voice.say(shown))),
            joined(" "),
            element("span", texts.FAILURE_WRITTEN, element("q", str(written), lang="en")),
        )
        for shown, written in failures.items()
    ]
    return joined(element("h3", texts.FAILURES), element("ul", *each, class_="sat-about-failures"))


# --- every number -----------------------------------------------------------------------------------------------------


def _numbers(rows: Mapping[str, Row], card: Card, form: str, engine: str, voice: Voice) -> Html:
    """All that was measured, by the card's own keys, and what the model is made of; to be opened."""
    texts, size, grid = voice.texts, card.decoder, card.encoder.grid
    layers = sum(card.encoder.blocks) * 3 + 2
    shape = texts.SHAPE.format(layers, grid, grid, size.hidden_size, _words(card), card.storage, form, engine)
    of_captions = {name: row for name, row in rows.items() if OF_CAPTIONS in row}
    published = {texts.PUBLISHED[each]: scores for each, scores in PUBLISHED.items()}
    return element(
        "details",
        element("summary", texts.OPEN_NUMBERS),
        _paragraph(shape),
        *(_table(each, voice) for each in _by_photos(of_captions)),
        *(_map_table(name, row, voice) for name, row in rows.items() if name not in of_captions),
        _grid(texts.PUBLISHED_TABLE, BLEU, published) if of_captions else Html(),
    )


def _by_photos(rows: Mapping[str, Row]) -> list[dict[str, Row]]:
    """The rows of each set of photos, which is the first part of a name."""
    found: dict[str, dict[str, Row]] = {}
    for name, row in rows.items():
        found.setdefault(name.partition(", ")[0], {})[name] = row
    return list(found.values())


def _table(rows: Mapping[str, Row], voice: Voice) -> Html:
    """Rows of the same kind; what all their names begin with heads them."""
    parts = [tuple(voice.name(name).split(", ")) for name in rows]
    shared = commonprefix([each[:-1] for each in parts])  # noqa: RUF071  # of tuples, part by part
    labels = [", ".join(each[len(shared) :]) for each in parts]
    columns = tuple(dict.fromkeys(key for row in rows.values() for key in row))
    cells = {label: dict(row) for label, row in zip(labels, rows.values(), strict=True)}
    return _grid(", ".join(shared), columns, cells, voice.name)


def _map_table(name: str, row: Row, voice: Voice) -> Html:
    """One row: a line a measure, a column for each map that it compares, if it compares any."""
    lines: dict[str, dict[str, Any]] = {}
    for key, value in row.items():
        measure, _, whose = key.partition(", ")
        lines.setdefault(voice.name(measure), {})[_whose(whose, voice)] = value
    columns = tuple(dict.fromkeys(whose for each in lines.values() for whose in each))
    return _grid(voice.name(name), columns, lines, str if len(columns) > 1 else lambda _: voice.texts.VALUE)


def _grid(title: str, columns: Sequence[str], rows: Mapping[str, Row], said: Callable[[str], str] = str) -> Html:
    head = element("tr", element("td", " "), *(element("th", said(each), scope="col") for each in columns))
    body = [
        element("tr", element("th", label, scope="row"), *(element("td", _number(row.get(each))) for each in columns))
        for label, row in rows.items()
    ]
    table = element("table", element("thead", head), element("tbody", *body))
    name = title or " ".join(rows)
    return joined(
        element("h3", title),
        element("div", table, class_="sat-about-table", tabindex="0", role="group", aria_label=name),
    )


def _number(value: object) -> str:
    if isinstance(value, int):
        return f"{value:,}"
    return f"{value:#.3g}".replace("-", "−") if isinstance(value, float) else "–"
