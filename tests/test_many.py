"""Folders of photos: found by content, captioned into one file by several processes, gone on with after a stop."""

import csv
import json
import os
import re
import shutil
import signal
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from test_main import CAT, PATIENCE, ROCKET, running
from tiny import make_checkpoint

from captioner.__main__ import main
from captioner.checkpoint import save_checkpoint
from captioner.commands.folders import find, image_ids, sidecars
from captioner.commands.many import processes_for
from captioner.pipeline import Captioner
from captioner.settings import SearchSettings

SETTINGS = SearchSettings(max_length=6)


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "tiny"
    save_checkpoint(folder, make_checkpoint("float16"))
    return folder


@pytest.fixture(scope="module")
def captions(model):
    """What the library writes for a photo."""
    captioner = Captioner.load(model)
    return lambda path: captioner.caption(path, SETTINGS)


@pytest.fixture
def run(model, capsys):
    """`main` in this process: exit status, standard output, the lines of standard error."""

    def caption(*arguments):
        status = main(["caption", "--checkpoint", str(model), "--max-length", "6", *map(str, arguments)])
        output, errors = capsys.readouterr()
        return status, output, errors.splitlines()

    return caption


def photo(path, seed):
    """A small photo of coloured noise; every seed has its own caption's numbers."""
    colours = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), dtype=np.uint8)
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(colours).resize((80, 60)).save(path, "PNG" if path.suffix == ".png" else "JPEG")
    return path


@pytest.fixture
def folder(tmp_path):
    """Three photos, one of them without a suffix, one inside; a damaged one; two files that are none."""
    place = tmp_path / "photos"
    photo(place / "b.jpg", 1)
    photo(place / "IMG_0001", 2)
    photo(place / "inside" / "deep" / "c.png", 3)
    (place / "damaged.JPG").write_bytes((place / "b.jpg").read_bytes()[:700])
    (place / "notes.txt").write_text("not a photo")
    (place / ".DS_Store").write_bytes(b"\0\0\0\1Bud1")
    return place


def rows_of(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


# --- a folder ---------------------------------------------------------------------------------------------------


def test_a_folder_is_captioned_and_the_rest_is_told(run, folder):
    status, output, errors = run(folder)
    assert status == 1
    assert [line.partition(": ")[0] for line in output.splitlines()] == [
        str(folder / "IMG_0001"),
        str(folder / "b.jpg"),
    ]
    assert errors[0].startswith(f"{folder / 'damaged.JPG'}: More than half of this picture is missing; please")
    assert errors[1].startswith("2 photos captioned in ")
    assert errors[2].startswith("1 photo skipped: damaged.JPG. More than half of this picture is missing; please")
    assert errors[3:] == [
        "2 files left out as no photo: .DS_Store, notes.txt.",
        "1 folder inside not looked into: inside; see --recursive.",
    ]


def test_recursive_goes_into_the_folders_inside(run, folder):
    _, output, errors = run(folder, "--recursive")
    assert str(folder / "inside" / "deep" / "c.png") in output
    assert not any("--recursive" in line for line in errors)


def test_a_link_in_a_circle_is_no_trap(folder):
    (folder / "inside" / "circle").symlink_to(folder)
    assert len(find([folder], True).photos) == 4


def test_a_macs_hidden_half_of_a_photo_is_no_photo(folder):
    (folder / "._b.jpg").write_bytes(b"\0\x05\x16\x07\0\2\0\0Mac OS X")
    assert folder / "._b.jpg" in find([folder], False).others


def test_a_folder_without_photos_is_refused(run, tmp_path):
    (tmp_path / "notes.txt").write_text("not a photo")
    status, output, errors = run(tmp_path)
    assert (status, output) == (1, "")
    assert "is a folder, not a photo" in errors[0]


def test_an_incomplete_photo_is_captioned_with_a_note(run, folder, tmp_path):
    cut = tmp_path / "cut.jpg"
    cut.write_bytes((folder / "b.jpg").read_bytes()[:-1])
    status, output, errors = run(cut, "--json", tmp_path / "out.json")
    assert status == 0
    assert output
    assert errors == [f"{cut}: The end of this file is missing; the caption is of the part that is there."]
    assert json.loads((tmp_path / "out.json").read_text("utf-8"))["incomplete"] is True


@pytest.mark.parametrize("address", ["https://example.org/cat.jpg", "data:image/png;base64,iVBORw0KGgo="])
def test_an_address_is_refused_with_its_reason(run, address):
    status, output, (error,) = run(address)
    assert (status, output) == (1, "")
    assert "Photos are not fetched from addresses; please download this one and name the file." in error


# --- one file for all -------------------------------------------------------------------------------------------


def test_jsonl_has_a_line_a_photo(run, folder, tmp_path, captions):
    path = tmp_path / "captions.jsonl"
    status, output, errors = run(folder, "--recursive", "--output", path)
    assert (status, output) == (1, "")
    assert errors[0].startswith("3 photos captioned")
    rows = rows_of(path)
    assert [row["image"] for row in rows] == ["IMG_0001", "b.jpg", "inside/deep/c.png"]
    for row in rows:
        expected = captions(folder / row["image"])
        assert row["caption"] == expected.text
        assert row["log_prob"] == pytest.approx(expected.log_prob, abs=1e-4)
        assert row["incomplete"] is False


def test_json_and_csv_have_the_same_rows(run, folder, tmp_path):
    run(folder, "--output", tmp_path / "a.jsonl")
    run(folder, "--output", tmp_path / "a.json")
    run(folder, "--output", tmp_path / "a.csv")
    rows = rows_of(tmp_path / "a.jsonl")
    assert json.loads((tmp_path / "a.json").read_text("utf-8")) == rows
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as stream:
        table = list(csv.DictReader(stream))
    assert [(row["image"], row["caption"], float(row["log_prob"])) for row in table] == [
        (row["image"], row["caption"], row["log_prob"]) for row in rows
    ]
    assert sorted(path.name for path in tmp_path.iterdir() if path.is_file()) == ["a.csv", "a.json", "a.jsonl"]


def test_coco_results(run, tmp_path, captions):
    first = photo(tmp_path / "COCO_val2014_000000391895.jpg", 1)
    second = photo(tmp_path / "cat.jpg", 2)
    assert run(tmp_path, "--output", tmp_path / "results.json", "--coco")[0] == 0
    assert json.loads((tmp_path / "results.json").read_text("utf-8")) == [
        {"image_id": 391895, "caption": captions(first).text},
        {"image_id": "cat", "caption": captions(second).text},
    ]


def test_coco_numbers_are_whole_words_of_a_name():
    names = ["a/000012.jpg", "1001773457_577c3a7d70.jpg", "IMG_13.png", "x7.jpg"]
    assert list(image_ids(names).values()) == [12, "1001773457_577c3a7d70", 13, "x7"]


def test_two_photos_of_one_coco_number_are_refused_before_any_work(run, tmp_path):
    photo(tmp_path / "a_1.jpg", 1)
    photo(tmp_path / "b_01.jpg", 2)
    status, _, (error,) = run(tmp_path, "--output", tmp_path / "results.json", "--coco")
    assert status == 1
    assert "a_1.jpg and b_01.jpg would both be image_id 1" in error
    assert not (tmp_path / "results.json").exists()


def test_a_name_that_is_no_text_is_written_and_known_again(run, tmp_path):
    try:
        photo(Path(os.fsdecode(os.fsencode(tmp_path) + b'/\xff\xfe \n,".jpg')), 1)
    except OSError:
        pytest.skip("this file system wants text")
    for name in ("a.jsonl", "a.csv"):
        assert run(tmp_path, "--output", tmp_path / name)[0] == 0
    assert "1 had one already" in run(tmp_path, "--output", tmp_path / "a.jsonl")[2][0]


def test_a_text_beside_each_photo(run, tmp_path, captions):
    one, two, three = (photo(tmp_path / name, seed) for seed, name in enumerate(["cat.jpg", "cat.png", "dog.jpg"]))
    mine = tmp_path / "dog.txt"
    mine.write_text("my own words")
    status, _, errors = run(tmp_path, "--sidecar")
    assert status == 0
    assert (tmp_path / "cat.jpg.txt").read_text("utf-8") == f"{captions(one).text}\n"
    assert (tmp_path / "cat.png.txt").read_text("utf-8") == f"{captions(two).text}\n"
    assert mine.read_text() == "my own words"
    assert errors[0].startswith("2 photos captioned")
    assert errors[0].endswith("1 had one already.")
    assert len(errors) == 1, "its own texts are not left out as no photos"
    assert sidecars([three])[three] == mine


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--output", "a.jsonl", "--figure", "a.png"], "--figure does not go with --output"),
        (["--sidecar", "--score", "a dog"], "--score does not go with"),
        (["--coco"], "--coco needs --output OUT.json"),
        (["--output", "a.csv", "--coco"], "--coco needs --output OUT.json"),
        (["--output", "a.csv", "--processes", "0"], "--processes must be 1 or more"),
        (["--output", "a.csv", "--beginning", "zebra"], "'zebra'"),
    ],
)
def test_options_that_do_not_go_together(run, tmp_path, monkeypatch, arguments, complaint):
    monkeypatch.chdir(tmp_path)
    status, output, (error,) = run(CAT, *arguments)
    assert (status, output) == (1, "")
    assert complaint in error


# --- going on ---------------------------------------------------------------------------------------------------


def test_a_stopped_run_goes_on_and_mends_half_a_line(run, folder, tmp_path):
    path = tmp_path / "captions.jsonl"
    run(folder, "--recursive", "--output", path)
    whole = path.read_bytes()
    first, second, _ = whole.splitlines(keepends=True)
    for kept in (first + second[:25], first + second[:1], first, b"", second + first[:40]):
        path.write_bytes(kept)
        run(folder, "--recursive", "--output", path)
        assert sorted(path.read_bytes().splitlines()) == sorted(whole.splitlines())


def test_a_finished_run_does_nothing_and_new_photos_are_added(run, folder, tmp_path):
    path = tmp_path / "captions.jsonl"
    run(folder, "--output", path)
    before = path.read_bytes()
    assert run(folder, "--output", path)[2][0] == "0 photos captioned, 2 had one already."
    assert path.read_bytes() == before
    photo(folder / "new.jpg", 9)
    run(folder, "--output", path)
    assert path.read_bytes().startswith(before)
    assert rows_of(path)[-1]["image"] == "new.jpg"


def test_other_settings_do_not_go_on_in_the_same_file(run, folder, tmp_path):
    path = tmp_path / "captions.jsonl"
    run(folder, "--output", path)
    before = path.read_bytes()
    status, _, (error,) = run(folder, "--output", path, "--beam-size", 5)
    assert status == 1
    assert re.search(r"written with tiny \w+, beam size 3, .* now it would be tiny \w+, beam size 5", error)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    "content", [b"one line of somebody's", b'{"photo": "a"}\n', b"[1, 2]\n", b'{"image": 5}\n', b"\xff\n"]
)
def test_somebody_elses_file_is_left_alone(run, folder, tmp_path, content):
    path = tmp_path / "captions.jsonl"
    path.write_bytes(content)
    status, _, (error,) = run(folder, "--output", path)
    assert status == 1
    assert "no result of this command" in error
    assert path.read_bytes() == content


def test_an_output_that_cannot_be_written_is_one_sentence(run, folder, tmp_path):
    (tmp_path / "taken.jsonl").mkdir()
    status, _, (error,) = run(folder, "--output", tmp_path / "taken.jsonl")
    assert status == 1
    assert "cannot be written" in error


# --- several processes ------------------------------------------------------------------------------------------

linux = pytest.mark.skipif(not Path("/proc/self/task").is_dir(), reason="Linux tells who the children are")


def children(process):
    tasks = Path(f"/proc/{process.pid}/task").glob("*/children")
    return [int(each) for task in tasks for each in task.read_text().split()]


def workers(process):
    """The children that caption; one more only keeps track of what they share."""
    return [each for each in children(process) if b"spawn_main" in Path(f"/proc/{each}/cmdline").read_bytes()]


def alive(pid):
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def wait_for(condition):
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


@pytest.fixture
def many(tmp_path):
    """Sixty photos, each of which takes a moment to decode."""
    place = tmp_path / "many"
    place.mkdir()
    for index in range(60):
        shutil.copy(CAT if index % 2 else ROCKET, place / f"{index:03}.{'png' if index % 2 else 'jpg'}")
    return place


def started(model, *arguments):
    return running("caption", "--checkpoint", model, "--max-length", "6", "--processes", "2", *arguments)


def lines(path):
    return path.read_bytes().count(b"\n") if path.exists() else 0


def check(path, many, captions):
    """Every photo has its line, once, with the caption that the library writes."""
    rows = rows_of(path)
    assert sorted(row["image"] for row in rows) == sorted(each.name for each in many.iterdir())
    texts = {True: captions(CAT).text, False: captions(ROCKET).text}
    assert all(row["caption"] == texts[row["image"].endswith("png")] for row in rows)


@pytest.mark.slow
@linux
def test_killed_in_the_middle_no_line_is_lost_and_none_is_twice(model, many, tmp_path, captions):
    path = tmp_path / "captions.jsonl"
    with started(model, many, "--output", path) as process:
        wait_for(lambda: lines(path) >= 5)
        helpers = workers(process)
        assert len(helpers) == 2
        process.send_signal(signal.SIGKILL)
        process.wait()
    assert 5 <= lines(path) < 60
    wait_for(lambda: not any(map(alive, helpers)))
    with started(model, many, "--output", path) as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    assert re.match(r"\d+ photos captioned .*, \d+ had one already\.\n", errors)
    check(path, many, captions)


@pytest.mark.slow
@linux
def test_a_process_that_is_killed_takes_no_photo_with_it(model, many, tmp_path, captions):
    path = tmp_path / "captions.jsonl"
    with started(model, many, "--output", path) as process:
        wait_for(lambda: lines(path) >= 5)
        os.kill(workers(process)[0], signal.SIGKILL)
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, errors
    check(path, many, captions)


@pytest.mark.slow
@linux
def test_interrupting_several_processes_is_quiet(model, many, tmp_path):
    path = tmp_path / "captions.json"
    with started(model, many, "--output", path) as process:
        wait_for(lambda: lines(Path(f"{path}.part")) >= 3)
        helpers = workers(process)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (130, "")
    assert not path.exists()
    wait_for(lambda: not any(map(alive, helpers)))


@pytest.mark.slow
def test_a_model_that_cannot_be_loaded_is_one_sentence(model, many, tmp_path):
    broken = shutil.copytree(model, tmp_path / "broken")
    (broken / "model.safetensors").write_bytes(b"not a model")
    with started(broken, many, "--output", tmp_path / "a.jsonl") as process:
        _, errors = process.communicate(timeout=PATIENCE)
    assert process.returncode == 1
    assert len(errors.splitlines()) == 1
    assert "model.safetensors" in errors


def test_processes_are_no_more_than_the_photos_are_worth():
    assert processes_for(1) == processes_for(31) == 1
    assert 1 <= processes_for(10**6) <= (os.cpu_count() or 1)
    assert sys.platform != "linux" or processes_for(10**6) == min(len(os.sched_getaffinity(0)), processes_for(10**9))
