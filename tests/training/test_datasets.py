"""Captions in the forms people have, and what is said of those that are in none."""

import json

import pytest

from captioner.training.data.datasets import DatasetError, read_dataset

EXPECTED = {"a.jpg": (("a", "dog", "runs"), ("the", "dog", "s", "ball")), "b.jpg": (("two", "cats"),)}


def karpathy(*images):
    return json.dumps({"dataset": "pets", "images": list(images)})


def image(filename, split, *captions, **more):
    return {"filename": filename, "split": split, "sentences": [{"tokens": text.split()} for text in captions], **more}


COCO = {
    "images": [{"id": 7, "file_name": "a.jpg"}, {"id": 9, "file_name": "b.jpg"}],
    "annotations": [
        {"image_id": 7, "caption": "A dog runs."},
        {"image_id": 9, "caption": "Two cats "},
        {"image_id": 7, "caption": "The dog’s ball"},
    ],
}
TOKENS = "a.jpg#0\tA dog runs .\nb.jpg#0\tTwo cats\na.jpg#1\tThe dog’s ball\n"
ROWS = 'a.jpg,A dog runs.\nb.jpg,"Two, cats"\na.jpg,The dog’s ball\n'
LINES = "\n".join(
    json.dumps({"filename": name, "captions": [{"raw": caption, "log_prob": -1} for caption in captions]})
    for name, captions in {"a.jpg": ["A dog runs.", "The dog’s ball"], "b.jpg": ["Two cats"]}.items()
)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("dataset.json", karpathy(
            image("a.jpg", "train", "a dog runs", "the dog s ball"), image("b.jpg", "train", "two cats")
        )),
        ("raw.json", karpathy(
            {"filename": "a.jpg", "split": "train", "sentences": [{"raw": "A dog runs."}, {"raw": "The dog’s ball"}]},
            {"filename": "b.jpg", "split": "restval", "sentences": [{"raw": "Two cats"}]},
        )),
        ("captions_train2014.json", json.dumps(COCO)),
        ("Flickr8k.token.txt", TOKENS),
        ("captions.csv", ROWS),
        ("captions.txt", "image,caption\n" + ROWS),
        ("captions.csv", "\ufeffImage,Caption\r\n" + ROWS.replace("\n", "\r\n")),
        ("proposed.jsonl", LINES),
        ("one.jsonl", LINES.splitlines()[0]),
    ],
)  # fmt: skip
def test_every_form_says_the_same(tmp_path, name, content):
    (tmp_path / name).write_text(content, encoding="utf-8")
    dataset = read_dataset(tmp_path / name, tmp_path)
    expected = dict(list(EXPECTED.items())[: 1 if name == "one.jsonl" else 2])
    assert {example.filename: example.captions for example in dataset.examples} == expected
    assert {example.split for example in dataset.examples} == {"train"}


def test_splits_are_the_files_or_are_seen_from_its_name(tmp_path):
    (tmp_path / "dataset.json").write_text(
        karpathy(
            image("a.jpg", "train", "a"), image("b.jpg", "restval", "b", filepath="val2014"), image("c.jpg", "val", "c")
        )
    )
    dataset = read_dataset(tmp_path / "dataset.json", tmp_path)
    assert [example.filename for example in dataset.split("train")] == ["a.jpg", "val2014/b.jpg"]
    assert dataset.split("val")[0].captions == (("c",),)
    with pytest.raises(DatasetError, match="no photos in its split 'test'"):
        dataset.split("test")
    (tmp_path / "captions_val2014.json").write_text(json.dumps(COCO))
    assert len(read_dataset(tmp_path / "captions_val2014.json", tmp_path).split("val")) == 2
    (tmp_path / "rows.csv").write_text("image,caption,split\na.jpg,a dog,train\nb.jpg,a cat,dev\n")
    rows = read_dataset(tmp_path / "rows.csv", tmp_path)
    assert [example.split for example in rows.examples] == ["train", "val"]


def test_cases_and_full_stops_would_spoil_bleu_and_go(tmp_path):
    (tmp_path / "dataset.json").write_text(karpathy(image("a.jpg", "val", "A Dog runs .", "it's n't T-shirt")))
    (example,) = read_dataset(tmp_path / "dataset.json", tmp_path).examples
    assert example.captions == (("a", "dog", "runs"), ("it's", "n't", "t", "shirt"))


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.json", "", "found nothing"),
        ("a.json", "[]", "found other JSON"),
        ("a.json", '{"images": 3}', "found other JSON"),
        ("a.json", '{"images": [', "broken JSON"),
        ("a.json", karpathy({}), r"images\[0\]: no 'filename'"),
        ("a.json", karpathy(image("a.jpg", "train"), {"filename": "b", "split": "train"}),
         r"images\[1\]: no 'sentences'"),
        ("a.json", karpathy({**image("a.jpg", "train"), "sentences": [{"tokens": "a dog"}]}),
         r"images\[0\]: sentences\[0\].tokens should be a list of words, found 'a dog'"),
        ("a.json", json.dumps({**COCO, "images": COCO["images"][:1]}),
         r"annotations\[1\]: image_id 9 is that of no image"),
        ("a.json", json.dumps({"images": [], "annotations": [{"caption": "a"}]}), r"annotations\[0\]: no 'image_id'"),
        ("a.txt", "a.jpg#0\tA dog\nb.jpg A cat", "line 2: should be PHOTO#NUMBER<tab>CAPTION, found 'b.jpg A cat'"),
        ("a.csv", "image,caption\na.jpg,A dog, a cat, a bird", "line 2: should be PHOTO,CAPTION"),
        ("a.jsonl", LINES + '\n{"filename": "c.jpg"}', "line 3: no 'captions'"),
        ("a.jsonl", LINES + '\n{"filename": "c.jpg", "captions": [{"raw": 3}]}', "line 3: a caption should be text"),
    ],
)  # fmt: skip
def test_what_is_in_no_form_is_refused_with_its_place(tmp_path, name, content, complaint):
    path = tmp_path / name
    path.write_text(content)
    with pytest.raises(DatasetError, match=complaint) as refusal:
        read_dataset(path, tmp_path)
    assert str(path) in str(refusal.value)
    assert "expected Karpathy's split JSON" in str(refusal.value)


def test_every_wrong_place_is_named_at_once_but_not_thousands(tmp_path):
    path = tmp_path / "a.json"
    path.write_text(karpathy(*[{"filename": f"{number}.jpg"} for number in range(30)]))
    with pytest.raises(DatasetError) as refusal:
        read_dataset(path, tmp_path)
    lines = str(refusal.value).splitlines()
    assert len(lines) == 22
    assert "images[19]: no 'split'" in lines[19]
    assert lines[20] == "and 10 more"


def test_another_encoding_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes("a.jpg,ein Bär".encode("latin-1"))
    with pytest.raises(DatasetError, match="found no text in UTF-8"):
        read_dataset(tmp_path / "a.csv", tmp_path)
