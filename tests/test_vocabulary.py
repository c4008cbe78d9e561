"""Words and ids in any script."""

import json
import unicodedata
from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny import make_vocabulary

from captioner.vocabulary import SPECIALS, Vocabulary, VocabularyError, tokenize


@pytest.mark.parametrize(
    ("sentence", "tokens"),
    [
        ("A man's t-shirt.", ["a", "man", "s", "t", "shirt"]),
        ("  two\tdogs\n(running)!  ", ["two", "dogs", "running"]),
        ("한 남자가 공을 잡고 있다.", ["한", "남자가", "공을", "잡고", "있다"]),
        ("كلبٌ يركض، بسرعة؟", ["كلبٌ", "يركض", "بسرعة"]),
        ("\u200fשלום עולם\u200e", ["שלום", "עולם"]),
        ("एक कुत्ता दौड़ रहा है।", ["एक", "कुत्ता", "दौड़", "रहा", "है"]),
        ("می\u200cخواهم بروم", ["می\u200cخواهم", "بروم"]),
        ("一只狗。在跑", ["一只狗", "在跑"]),
        ("ﬁve 5 dogs, 3rd", ["ﬁve", "5", "dogs", "3rd"]),
        ("foot\u00adball\ufeff game", ["football", "game"]),
        ("<start> <b>dog</b> <end>", ["start", "b", "dog", "b", "end"]),
        ("\u200d \x00 \u200c", []),
        ("\ud800dog", ["dog"]),
        ("", []),
    ],
)
def test_sentences_of_any_script(sentence, tokens):
    assert tokenize(sentence) == [unicodedata.normalize("NFC", token) for token in tokens]


@pytest.mark.parametrize(
    "sentence", ["개가 달린다", "un café crème", "\u0915\u093c\u0932\u092e \u0929", "\u0958\u0932\u092e", "Ωμέγα ἄ"]
)
def test_composed_and_decomposed_spellings_are_the_same_words(sentence):
    spellings = {sentence, *(unicodedata.normalize(form, sentence) for form in ("NFC", "NFD"))}
    assert len(spellings) > 1
    assert len({tuple(tokenize(spelling)) for spelling in spellings}) == 1


@settings(max_examples=60, deadline=None)
@given(st.text())
def test_tokens_are_clean_and_stay_as_they_are(sentence):
    tokens = tokenize(sentence)
    for token in tokens:
        assert token
        assert not {unicodedata.category(char)[0] for char in token} & set("PSZ")
    assert tokenize(" ".join(tokens)) == tokens


def test_build_orders_by_frequency_then_alphabet():
    sentences = [["b", "a", "a"], ["c", "b", "a"], ["d"], ["<end>", "<pad>"]]
    vocabulary = Vocabulary.build(sentences)
    assert [vocabulary.word(index) for index in range(len(vocabulary))] == [
        "<pad>", "a", "b", "c", "d", "<unk>", "<start>", "<end>",
    ]  # fmt: skip
    counts = Counter(word for sentence in sentences for word in sentence)
    frequent = Vocabulary.build(sentences, min_frequency=2)
    assert {word for word in frequent.word_map if word not in SPECIALS} == {
        word for word, count in counts.items() if count >= 2
    }


def test_encode_and_decode():
    vocabulary = make_vocabulary("a", "dog")
    ids = vocabulary.encode(["a", "zebra", "dog"])
    assert ids == [vocabulary.start, 1, vocabulary.unk, 2, vocabulary.end]
    assert vocabulary.decode([*ids, vocabulary.pad, 1]) == ["a", "<unk>", "dog"]
    assert vocabulary.decode([1, vocabulary.pad, 2]) == ["a", "dog"]
    assert set(vocabulary.never_written) == {vocabulary.id(word) for word in ("<pad>", "<start>", "<unk>")}


ODD_WORDS = [
    "<img src=x onerror=alert(1)>",
    "${1}",
    "{{x}}",
    "</script>",
    "개",
    "كلب",
    "क़",
    '"',
    "\\",
    "a b",
    "\u202ex",
]


def test_any_text_may_be_a_word_and_survives_storage():
    vocabulary = make_vocabulary(*ODD_WORDS)
    again = Vocabulary(json.loads(json.dumps(vocabulary.word_map, ensure_ascii=False)))
    assert again.word_map == vocabulary.word_map
    for word in ODD_WORDS:
        assert again.word(again.id(word)) == word
        assert word in again


@pytest.mark.parametrize("stored", ["NFC", "NFD"])
def test_words_are_found_however_their_map_was_spelt(stored):
    word = unicodedata.normalize(stored, "개가")
    vocabulary = make_vocabulary(word)
    assert [vocabulary.id(token) for token in tokenize("개가")] == [1]
    assert vocabulary.word(1) == word
    assert vocabulary.word_map[word] == 1


def test_two_spellings_of_a_word_keep_their_own_ids():
    composed, decomposed = (unicodedata.normalize(form, "é") for form in ("NFC", "NFD"))
    for words in ((composed, decomposed), (decomposed, composed)):
        vocabulary = make_vocabulary(*words)
        assert [vocabulary.id(word) for word in words] == [1, 2]


def test_word_map_is_a_copy():
    vocabulary = make_vocabulary("a")
    vocabulary.word_map["b"] = 99
    assert "b" not in vocabulary


def word_map(**changes):
    return {**make_vocabulary("a", "b").word_map, **changes}


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ({}, "special tokens"),
        (word_map(a=2), "each once"),
        (word_map(a=7), "each once"),
        (word_map(a=-1), "each once"),
        (word_map(c=7), "each once"),
        (word_map(a=1.0), "whole numbers"),
        (word_map(a=True), "whole numbers"),
        (word_map(a="1"), "whole numbers"),
        (word_map(a=None), "whole numbers"),
        ({1: 0, **{word: index for index, word in enumerate(SPECIALS, start=1)}}, "whole numbers"),
        ({"a": 0, "<pad>": 1, "<start>": 2, "<end>": 3}, "<unk>"),
        ({**dict(zip(SPECIALS, range(4), strict=True)), "\ud800": 4}, "no Unicode text"),
    ],
)
def test_bad_maps_are_refused(bad, message):
    with pytest.raises(VocabularyError, match=message):
        Vocabulary(bad)


def test_a_word_map_with_capital_letters_still_finds_its_words():
    words = Vocabulary({"<pad>": 0, "Dog": 1, "US": 2, "us": 3, "Ärger": 4, "<unk>": 5, "<start>": 6, "<end>": 7})
    assert words.encode(tokenize("Dog us ärger")) == [6, 1, 3, 4, 7]
    assert words.id("US") == 2
    assert "dog" in words
    assert words.decode([1]) == ["Dog"]
    assert "cat" not in words
