import re
from dataclasses import replace

from tiny import make_checkpoint

from demo.about import about


def test_says_what_was_measured_and_the_terms():
    card = replace(
        make_checkpoint().card,
        scores={
            "val, beam size 3": {"BLEU-1": 61.234, "BLEU-4": 21.04, "CIDEr": 0.5571},
            "val, head nouns": {"phrases": 12193, "pointing": 0.6957},
        },
        failures={"a chairlift": "a man does a trick on a bicycle"},
        licence="Non-commercial.",
        limits="Mostly dogs.",
    )
    text = about(card)
    (row,) = [line for line in text.splitlines() if "beam size 3" in line]
    assert [cell.strip() for cell in row.split("|")[2:-1]] == ["61.2", "21.0", "–", "–", "0.557"]
    assert "Mostly dogs" in text
    assert "Non\\-commercial" in text
    (line,) = [line for line in text.splitlines() if "head nouns" in line]
    assert line.endswith("phrases 12,193; pointing 0.696")
    assert "- a chairlift → “a man does a trick on a bicycle”" in text


def test_what_all_names_begin_with_stands_once_and_maps_are_compared_in_a_table():
    scores = {
        "val, 9 photos, beam size 3": {"BLEU-4": 21.0},
        "val, 9 photos, beam size 5": {"BLEU-4": 22.0},
        "val, 9 photos, nouns": {
            "phrases": 7,
            "edge, of the photo": 0.1,
            "pointing": 0.7,
            "pointing, middle": 0.5,
            "share": 0.6,
            "share, even": 0.2,
        },
    }
    text = about(replace(make_checkpoint().card, scores=scores))
    tables = [
        [[cell.strip() for cell in line.split("|")[1:-1]] for line in part.splitlines()]
        for part in text.split("\n\n")
        if part.startswith("|")
    ]
    captions, maps = tables
    assert captions[0][:3] == ["val, 9 photos", "BLEU\\-1", "BLEU\\-4"]
    assert [row[0] for row in captions[2:]] == ["beam size 3", "beam size 5"]
    assert maps[0] == ["", "the word's own map", "middle", "even"]
    assert maps[2:] == [["pointing", "0.700", "0.500", "–"], ["share", "0.600", "–", "0.200"]]
    assert "val, 9 photos, nouns: phrases 7; edge, of the photo 0.100\n" in about(
        replace(make_checkpoint().card, scores=scores)
    )


def test_a_card_cannot_put_markup_on_the_page():
    markup = "<img src=x onerror=alert(1)> [a](javascript:b) |"
    card = replace(make_checkpoint().card, name=markup, failures={markup: markup}, scores={markup: {markup: markup}})
    text = about(card)
    assert "<img" not in text.replace("\\<img", "")
    assert "](" not in text


def test_an_address_is_text_and_no_broken_link():
    address = "https://example.org/a-name.txt"
    text = about(replace(make_checkpoint().card, licence=f"See {address}."))
    assert "https://" not in text, "Markdown would make a link of it, backslashes and all"
    assert address in re.sub(r"\\(.)", r"\1", text)


def test_a_model_without_scores_has_no_table():
    assert "|" not in about(make_checkpoint().card)
