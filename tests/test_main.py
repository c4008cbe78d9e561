import json
import os
import select
import signal
import struct
import subprocess
import sys
import zlib
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image
from tiny import make_checkpoint

from captioner.__main__ import main
from captioner.checkpoint import save_checkpoint
from captioner.pipeline import Captioner
from captioner.settings import SearchSettings

PHOTOS = Path(skimage.data.__file__).parent
ASTRONAUT, CAT, ROCKET = PHOTOS / "astronaut.png", PHOTOS / "chelsea.png", PHOTOS / "rocket.jpg"
PATIENCE = 300  # seconds, on a busy machine
ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    folder = tmp_path_factory.mktemp("model") / "tiny"
    save_checkpoint(folder, make_checkpoint("float16"))
    return folder


@pytest.fixture
def run(model, capsys):
    """`main` in this process: exit status, standard output, standard error."""

    def caption(*arguments):
        status = main(["caption", "--checkpoint", str(model), "--max-length", "6", *map(str, arguments)])
        return status, *capsys.readouterr()

    return caption


def command(*arguments):
    return [sys.executable, "-m", "captioner", *map(str, arguments)]


def environment():
    return {**os.environ, "OMP_NUM_THREADS": "1", "PYTHONUNBUFFERED": "1"}


def started(*arguments):
    """The command in a process of its own."""
    return subprocess.run(
        command(*arguments), capture_output=True, text=True, cwd=ROOT, env=environment(), timeout=PATIENCE, check=False
    )


@contextmanager
def running(*arguments, stderr=subprocess.PIPE):
    """The command while it runs. It hears Ctrl-C even where the tests themselves run in the background."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a child inherits "ignored", but no handler
    process = subprocess.Popen(
        command(*arguments),
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        cwd=ROOT,
        env=environment(),
    )
    signal.signal(signal.SIGINT, before)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def bomb():
    """A PNG of a few bytes that claims 60,000 × 60,000 pixels."""
    chunks = [
        (b"IHDR", struct.pack(">IIBBBBB", 60_000, 60_000, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(b"")),
        (b"IEND", b""),
    ]
    parts = [
        struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data)) for kind, data in chunks
    ]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def bad_photos(folder):
    """One file of each kind that cannot be captioned."""
    contents = {
        "empty.jpg": b"",
        "text.jpg": b"I am not a photo.",
        "truncated.jpg": ROCKET.read_bytes()[:5000],
        "bomb.png": bomb(),
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    Image.new("RGB", (1, 1)).save(folder / "dot.png")
    Image.new("RGB", (1, 5000)).save(folder / "line.png")
    (folder / "folder").mkdir()
    return [folder / name for name in (*contents, "dot.png", "line.png", "folder", "missing.jpg")]


def test_a_photo_gets_one_line_with_the_caption_and_its_log_probability(run, model):
    expected = Captioner.load(model).caption(CAT, SearchSettings(max_length=6))
    rest = "" if expected.finished else " …"
    status, output, errors = run(CAT)
    assert (status, errors) == (0, "")
    assert output == f"{expected.text}{rest}  (log-probability {expected.log_prob:.2f})\n"


@pytest.mark.slow
def test_every_bad_photo_gets_one_sentence_and_the_others_are_captioned(model, tmp_path):
    bad = bad_photos(tmp_path)
    result = started("caption", "--checkpoint", model, ASTRONAUT, *bad, CAT)
    lines = result.stderr.splitlines()[: len(bad)]
    assert result.returncode == 1
    assert "Traceback" not in result.stderr
    assert [line.partition(": ")[0] for line in lines] == [str(path) for path in bad]
    assert all(line.endswith(".") and len(line) > len(str(path)) + 20 for line, path in zip(lines, bad, strict=True))
    assert [line.partition(": ")[0] for line in result.stdout.splitlines()] == [str(ASTRONAUT), str(CAT)]


@pytest.mark.slow
def test_a_missing_checkpoint_is_one_sentence(tmp_path):
    result = started("caption", CAT, "--checkpoint", tmp_path / "nowhere")
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert str(tmp_path / "nowhere") in line


@pytest.mark.slow
def test_interrupting_is_quiet(model):
    with running("caption", "--checkpoint", model, *[CAT] * 500) as process:
        assert str(CAT) in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=PATIENCE)
    assert (process.returncode, errors) == (130, "")


@pytest.mark.slow
def test_a_reader_that_leaves_is_no_error(model):
    with running("caption", "--checkpoint", model, *[CAT] * 500) as process:
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        process.wait(PATIENCE)
    assert (process.returncode, errors) == (1, "")


@pytest.mark.slow
def test_a_terminal_sees_progress_over_several_photos(model):
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    pytest.importorskip("termios").tcsetwinsize(theirs, (24, 80))
    with running("caption", "--checkpoint", model, CAT, ROCKET, stderr=theirs) as process:
        process.communicate(timeout=PATIENCE)
    assert select.select([ours], [], [], 0)[0], "nothing was shown"
    shown = os.read(ours, 100_000).decode()
    os.close(theirs)
    os.close(ours)
    assert "2/2" in shown
    assert "photo" in shown


def test_several_photos_are_named_and_so_are_their_outputs(run, tmp_path):
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        Image.open(CAT).save(tmp_path / folder / "cat.png")
    (tmp_path / "two" / "notes.txt").write_text("not a photo")
    one, two = tmp_path / "one" / "cat.png", tmp_path / "two" / "cat.png"
    status, output, errors = run(one, tmp_path / "two", "--json", tmp_path / "out.json")
    assert status == 0
    assert "2 photos captioned" in errors
    assert "1 file left out as no photo: notes.txt." in errors
    assert [line.partition(": ")[0] for line in output.splitlines()] == [str(one), str(two)]
    assert sorted(path.name for path in tmp_path.glob("*.json")) == ["out-cat-2.json", "out-cat.json"]


@pytest.mark.parametrize("suffix", ["png", "pdf", "svg"])
@pytest.mark.slow
def test_figure_is_written(run, tmp_path, suffix):
    status, _, errors = run(ROCKET, "--figure", tmp_path / f"out.{suffix}", "--look", "spotlight", "--scale", "word")
    assert (status, errors) == (0, "")
    assert (tmp_path / f"out.{suffix}").stat().st_size > 5000


@pytest.mark.parametrize("suffix", ["gif", "webp"])
def test_animation_has_a_frame_for_each_word_of_the_json(run, tmp_path, suffix):
    animation, numbers = tmp_path / f"out.{suffix}", tmp_path / "out.json"
    assert run(ROCKET, "--beginning", "a dog", "--animation", animation, "--json", numbers)[0] == 0
    words = [word for word in json.loads(numbers.read_text("utf-8"))["words"] if word != "<end>"]
    assert words[:2] == ["a", "dog"]
    with Image.open(animation) as moving:
        assert moving.n_frames == len(words) + 1


def test_json_holds_the_maps_the_numbers_and_the_settings(run, model, tmp_path):
    path = tmp_path / "out.json"
    assert run(ASTRONAUT, "--json", path, "--beam-size", 2, "--temperature", 1.5, "--seed", 9)[0] == 0
    stored = json.loads(path.read_text("utf-8"))
    caption = Captioner.load(model).caption(ASTRONAUT, SearchSettings(2, 1.5, 9, 6))
    assert stored["photo"] == "astronaut.png"
    assert stored["words"] == list(caption.words)
    assert np.array_equal(np.array(stored["alphas"], dtype=np.float32), caption.alphas)
    assert {name: stored["settings"][name] for name in ("beam_size", "temperature", "seed", "max_length")} == {
        "beam_size": 2,
        "temperature": 1.5,
        "seed": 9,
        "max_length": 6,
    }


def test_the_same_seed_gives_the_same_files_and_another_seed_other_captions(run, tmp_path):
    first, second = tmp_path / "1.json", tmp_path / "2.json"
    for path in (first, second):
        run(CAT, "--temperature", 1, "--seed", 4, "--json", path)
    assert first.read_bytes() == second.read_bytes()
    assert len({run(CAT, "--temperature", 1, "--seed", seed)[1] for seed in range(5)}) > 1


def test_all_prints_what_the_search_found_best_first(run, model):
    captioner = Captioner.load(model)
    settings = SearchSettings(beam_size=4, temperature=1, max_length=20)
    expected = [caption.log_prob for caption in captioner.captions(captioner.look(CAT), settings)]
    lines = run(CAT, "--all", "--beam-size", 4, "--temperature", 1, "--max-length", 20)[1].splitlines()
    found = [float(line.rpartition(" ")[2].rstrip(")")) for line in lines]
    assert len(found) == 4
    assert found == [pytest.approx(log_prob, abs=0.006) for log_prob in expected]
    assert len(set(lines)) == len(lines)


def test_score_prints_each_word_and_their_sum(run):
    status, output, _ = run(CAT, "--score", "A dog runs!")
    first, *rest = output.splitlines()
    table = [line.split() for line in rest]
    assert status == 0
    assert [row[1] for row in table] == ["a", "dog", "runs", "<end>"]
    total = float(first.rpartition(" ")[2].rstrip(")"))
    assert sum(float(row[0]) for row in table) == pytest.approx(total, abs=0.05)


def test_a_sentence_with_unknown_words_has_no_total(run, model, tmp_path):
    path = tmp_path / "numbers.json"
    status, output, _ = run(CAT, "--score", "A dog zxqv-blorp runs!", "--json", path, "--figure", tmp_path / "f.png")
    first, *rest = output.splitlines()
    table = [line.split() for line in rest]
    assert status == 0
    known = len(Captioner.load(model).vocabulary) - 4
    assert first == (f"a dog zxqv blorp runs  (no log-probability: not among its {known:,} words: 'zxqv', 'blorp')")
    assert [row[1] for row in table] == ["a", "dog", "zxqv", "blorp", "runs", "<end>"]
    assert [row[0] for row in table[2:4]] == ["unknown", "unknown"]
    numbers = json.loads(path.read_text(encoding="utf-8"))
    assert (numbers["log_prob"], numbers["unknown"]) == (None, ["zxqv", "blorp"])
    assert [each is None for each in numbers["log_probs"]] == [False, False, True, True, False, False]
    assert numbers["words"] == ["a", "dog", "zxqv", "blorp", "runs", "<end>"]


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--figure", "out.bmp"], ".png or .pdf or .svg"),
        (["--animation", "out.mp4"], ".gif or .webp"),
        (["--json", "out"], ".json"),
        (["--json", "no/such/folder/out.json"], "no folder"),
        (["--beginning", "a", "--score", "a"], "not allowed with"),
        (["--beam-size", "many"], "invalid int value"),
    ],
)
def test_wrong_usage_is_refused_before_any_work(run, capsys, arguments, complaint):
    with pytest.raises(SystemExit) as left:
        run("missing.jpg", *arguments)
    assert left.value.code == 2
    errors = capsys.readouterr().err
    assert complaint in errors
    assert "missing.jpg" not in errors


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--beam-size", 0], "beam_size must be a whole number from 1 to 20"),
        (["--temperature", -1], "temperature must be"),
        (["--temperature", "nan"], "temperature must be"),
        (["--beginning", "zebra"], "'zebra'"),
        (["--score", "!"], "1 to 50 words"),
    ],
)
def test_settings_that_make_no_sense_are_one_sentence(run, arguments, complaint):
    status, output, errors = run(CAT, *arguments)
    assert (status, output) == (1, "")
    (line,) = errors.splitlines()
    assert complaint in line


def test_an_output_that_cannot_be_written_is_one_sentence(run, tmp_path):
    (tmp_path / "taken.json").mkdir()
    status, _, errors = run(CAT, "--json", tmp_path / "taken.json")
    assert status == 1
    assert len(errors.splitlines()) == 1
    assert "cannot be written" in errors


@pytest.mark.slow
def test_training_without_its_extras_says_what_to_install():
    code = "import sys; sys.modules['accelerate'] = None; from captioner.__main__ import main; main(['train'])"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert result.returncode == 1
    assert "accelerate" in result.stderr
    assert "requirements-train.txt" in result.stderr
    assert "Traceback" not in result.stderr


def test_help_lists_the_commands(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    output = capsys.readouterr().out
    assert all(name in output for name in ("caption", "import", "train", "evaluate"))
