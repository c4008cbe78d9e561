import json
import subprocess
import sys
import warnings
from xml.etree import ElementTree

import matplotlib as mpl
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import gaussian_filter

from captioner.caption import Alternative, Caption, record
from captioner.render import Style, figure, frames, overlay, save_animation, save_figure, smooth
from captioner.render.looks import lettering

ROWS, COLUMNS = 3, 2
HOSTILE = (
    "$x^2$",
    "$\\frac{",
    "<img src=x onerror=alert(1)>",
    "${1}",
    "축구공을",
    "שלום",
    "🐕",
    "\x1b[31m\n",
    "\ud800",
    "w" * 300,
    "뷁" * 300,
    "",
)


def make_caption(words, finished=True, seed=0):
    random = np.random.default_rng(seed)
    count = len(words)
    alphas = random.random((count, ROWS, COLUMNS)).astype(np.float32)
    alphas /= alphas.sum(axis=(1, 2), keepdims=True)
    choices = tuple((Alternative(word, 0.5), Alternative("other", 0.25)) for word in words)
    log_probs, betas = (-random.random(count)).astype(np.float32), random.random(count).astype(np.float32)
    return Caption(tuple(words), log_probs, alphas, betas, choices, finished)


def one_hot_caption(cells):
    """A word a cell, each map all in its cell."""
    caption = make_caption([f"word{index}" for index in range(len(cells))] + ["<end>"])
    for alpha, (row, column) in zip(caption.alphas, cells, strict=False):
        alpha[:] = 0
        alpha[row, column] = 1
    return caption


def bilinear(alpha, factor):
    """Each axis interpolated between cell centres, mirrored about the outer ones."""

    def expanded(line):
        centres = np.arange(-1, len(line) + 1)
        return np.interp((np.arange(len(line) * factor) + 0.5) / factor - 0.5, centres, np.pad(line, 1, "reflect"))

    return np.apply_along_axis(expanded, 1, np.apply_along_axis(expanded, 0, alpha))


def brightest_cell(picture, photo_size):
    """Row and column of the lightest block of the photo's part of a frame."""
    grey = np.asarray(picture.convert("L"), dtype=float)[: photo_size[1], : photo_size[0]]
    blocks = [[block.mean() for block in np.array_split(band, COLUMNS, axis=1)] for band in np.array_split(grey, ROWS)]
    return np.unravel_index(np.argmax(blocks), (ROWS, COLUMNS))


def test_smooth_is_bilinear_then_gaussian():
    alpha = make_caption(["a"]).alphas[0]
    expected = gaussian_filter(bilinear(alpha.astype(float), 24), sigma=8, mode="reflect")
    np.testing.assert_allclose(smooth(alpha, (COLUMNS * 24, ROWS * 24)), expected, atol=2e-6)


def test_smooth_has_the_size_of_the_photo_and_keeps_no_preference_level():
    level = np.full((14, 14), 1 / 196, dtype=np.float32)
    smoothed = smooth(level, (50, 31))
    assert smoothed.shape == (31, 50)
    np.testing.assert_allclose(smoothed, 1 / 196, rtol=1e-5)


def test_spotlight_keeps_the_peak_and_dims_the_rest():
    view = Image.new("RGB", (COLUMNS * 40, ROWS * 40), (200, 100, 50))
    alpha = np.array([[0, 0], [0, 0], [1, 0]], dtype=np.float32)
    peak = float(smooth(alpha, view.size).max())
    lit = np.asarray(overlay(view, alpha, Style("spotlight"), top=peak))
    assert lit.reshape(-1, 3).max(axis=0).tolist() == [200, 100, 50]
    dark = 0.2 * np.array([200, 100, 50]) + 0.8 * np.array([6, 6, 10])
    assert np.abs(lit[0, -1] - dark).max() <= 1
    assert brightest_cell(Image.fromarray(lit), view.size) == (2, 0)


def test_top_sets_what_full_strength_means():
    view = Image.new("RGB", (20, 30), (200, 100, 50))
    level = np.full((ROWS, COLUMNS), 1 / 6, dtype=np.float32)
    full = np.asarray(overlay(view, level, Style("spotlight"), top=1 / 6)).astype(int)
    assert np.abs(full - np.asarray(view)).max() <= 1
    half = np.asarray(overlay(view, level, Style("spotlight"), top=1 / 3))
    opacity = 0.8 * (1 - 0.5**0.7)
    expected = (1 - opacity) * np.array([200, 100, 50]) + opacity * np.array([6, 6, 10])
    assert np.abs(half - expected).max() <= 1


def test_heat_at_the_top_is_the_hottest_colour_over_the_photo():
    view = Image.new("RGB", (20, 30), (120, 120, 120))
    level = np.full((ROWS, COLUMNS), 1 / 6, dtype=np.float32)
    expected = 0.8 * 255 * np.array(mpl.colormaps["inferno"](1.0)[:3]) + 0.2 * 120
    assert np.abs(np.asarray(overlay(view, level, Style("heat"), top=1 / 6)) - expected).max() <= 1


def test_an_even_map_saved_by_word_is_not_at_full_strength():
    view = Image.new("RGB", (20, 30), (120, 120, 120))
    level = np.full((ROWS, COLUMNS), 1 / 6, dtype=np.float32)
    by_word = np.asarray(overlay(view, level, Style("heat", "word")))
    at_a_quarter = np.asarray(overlay(view, level, Style("heat"), top=4 / 6))
    assert np.array_equal(by_word, at_a_quarter)


def test_one_scale_for_the_caption_dims_the_flatter_map_and_a_scale_a_word_does_not():
    caption = make_caption(["sharp", "flat"])
    caption.alphas[0] = [[0, 0], [1, 0], [0, 0]]
    caption.alphas[1] = 1 / 6
    view = Image.new("RGB", (40, 60), "white")
    _, flat, _ = frames(view, caption, Style("spotlight", "caption"))
    _, flat_alone, _ = frames(view, caption, Style("spotlight", "word"))
    assert flat.getpixel((5, 5))[0] < flat_alone.getpixel((5, 5))[0] < 200, "an even map is no choice, even alone"


def test_figure_has_a_cell_for_the_photo_and_for_each_word_but_the_end():
    caption = make_caption(["a", "dog", "runs", "<end>"])
    drawn = figure(Image.new("RGB", (90, 60)), caption)
    texts = [text.get_text() for text in drawn.texts]
    assert len(drawn.axes) == 4
    assert [text for text in texts if text in caption.words] == ["a", "dog", "runs"]
    assert f"{100 * caption.word(1).probability:.0f} %" in texts


def test_figure_shows_each_map_where_it_is():
    cells = [(0, 1), (2, 0), (1, 1)]
    drawn = figure(Image.new("RGB", (40, 60), "white"), one_hot_caption(cells), Style("spotlight"))
    pictures = [Image.fromarray(np.asarray(axes.images[0].get_array())) for axes in drawn.axes[1:]]
    assert [brightest_cell(picture, picture.size) for picture in pictures] == cells


def test_figure_cells_keep_the_aspect_of_the_photo_and_do_not_overlap():
    drawn = figure(Image.new("RGB", (90, 60)), make_caption(["w"] * 11))
    width, height = drawn.get_size_inches()
    boxes = [axes.get_position() for axes in drawn.axes]
    assert all(box.width * width / (box.height * height) == pytest.approx(1.5, rel=0.01) for box in boxes)
    assert all(min(box.x0, box.y0) >= 0 and max(box.x1, box.y1) <= 1 for box in boxes)
    assert sum(one.overlaps(other) for one in boxes for other in boxes) == len(boxes)


@pytest.mark.parametrize(("suffix", "magic"), [(".png", b"\x89PNG"), (".pdf", b"%PDF"), (".svg", b"<?xml")])
def test_hostile_words_are_plain_text_in_every_figure(tmp_path, suffix, magic):
    path = tmp_path / f"figure{suffix}"
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        save_figure(Image.new("RGB", (30, 40)), make_caption(HOSTILE), path)
    assert path.read_bytes().startswith(magic)
    if suffix == ".svg":
        tags = {element.tag.rpartition("}")[2].lower() for element in ElementTree.parse(path).iter()}
        assert tags.isdisjoint({"img", "script"})


def test_no_word_is_read_as_mathematics():
    texts = figure(Image.new("RGB", (30, 40)), make_caption(["$x^2$"])).texts
    assert "$x^2$" in [text.get_text() for text in texts]
    assert not any(text.get_parse_math() or text.get_usetex() for text in texts)


@pytest.mark.parametrize("suffix", [".gif", ".webp"])
def test_animation_has_a_frame_a_word_and_a_closing_one(tmp_path, suffix):
    cells = [(0, 1), (2, 0), (1, 1), (0, 0)]
    path = tmp_path / f"out{suffix}"
    save_animation(Image.new("RGB", (40, 60), "white"), one_hot_caption(cells), path, Style("spotlight"))
    found, durations = [], []
    with Image.open(path) as moving:
        assert moving.n_frames == len(cells) + 1
        assert moving.info["loop"] == 0
        for index in range(moving.n_frames):
            moving.seek(index)
            moving.load()
            durations.append(moving.info["duration"])
            found.append(brightest_cell(moving.convert("RGB"), (373, 560)))
    assert found[:-1] == cells
    assert durations == [800] * len(cells) + [2400]


def test_the_mark_moves_along_the_sentence_and_the_closing_frame_has_none():
    marks = []
    for frame in frames(Image.new("RGB", (60, 40)), make_caption(["a", "dog", "runs", "<end>"])):
        pixels = np.asarray(frame).astype(int)
        yellow = (pixels[..., 0] > 240) & (pixels[..., 1] > 200) & (pixels[..., 2] < 60)
        marks.append(np.argwhere(yellow)[:, 1].mean() if yellow.any() else None)
    first, second, third, closing = marks
    assert first < second < third
    assert closing is None


def test_the_closing_frame_is_the_photo_alone():
    view = Image.fromarray(np.random.default_rng(0).integers(0, 256, (560, 420, 3), dtype=np.uint8))
    *_, closing = frames(view, make_caption(["a", "dog"], finished=False))
    assert np.array_equal(np.asarray(closing)[:560], np.asarray(view))


@pytest.mark.parametrize("size", [(16, 320), (320, 16), (1, 1), (1024, 700)])
@pytest.mark.parametrize("words", [HOSTILE, ("<end>",), ("a",) * 60])
@pytest.mark.slow
def test_any_photo_and_any_words_can_be_drawn(size, words):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        pictures = frames(Image.new("RGB", size), make_caption(words))
    assert len(pictures) == sum(word != "<end>" for word in words) + 1
    assert len({picture.size for picture in pictures}) == 1


def test_words_stay_inside_the_frame():
    frame = np.asarray(frames(Image.new("RGB", (60, 40)), make_caption(["m" * 300, "$" * 23] * 4))[-1])
    assert (frame[380:, :8] == 255).all()
    assert (frame[380:, -8:] == 255).all()


def test_lettering_shows_what_no_font_has_as_boxes_and_never_control_characters():
    assert lettering("\x1b[31m").text == "□[31m"
    assert lettering("\U0010fffd dog").text.endswith("dog")
    assert "\U0010fffd" not in lettering("\U0010fffd dog").text
    assert lettering("abcdef", limit=4).text == "abc…"


def test_record_restores_the_numbers_bit_for_bit():
    caption = make_caption(["a", "개", "<end>"])
    restored = json.loads(json.dumps(record(caption, {"seed": 7}), allow_nan=False))
    assert restored["words"] == ["a", "개", "<end>"]
    assert restored["text"] == "a 개"
    assert restored["settings"] == {"seed": 7}
    for name in ("alphas", "log_probs", "betas"):
        assert np.array_equal(np.array(restored[name], dtype=np.float32), getattr(caption, name))
    assert restored["alternatives"][0] == [{"word": "a", "probability": 0.5}, {"word": "other", "probability": 0.25}]
    assert restored["log_prob"] == pytest.approx(sum(restored["log_probs"]))


def test_record_entropy_of_no_preference_is_the_log_of_the_cells():
    caption = make_caption(["a"])
    caption.alphas[0] = 1 / 6
    assert record(caption)["entropies"] == [pytest.approx(np.log(6), abs=1e-6)]


@pytest.mark.slow
def test_drawing_needs_neither_torch_nor_pyplot():
    code = """
import io, sys
import numpy as np
from PIL import Image
from captioner.caption import Caption
from captioner.render import figure, frames
caption = Caption(("a",), np.zeros(1), np.ones((1, 3, 2)) / 6, np.zeros(1), ((),), False)
view = Image.new("RGB", (60, 40))
figure(view, caption).savefig(io.BytesIO(), format="png")
frames(view, caption)
print(sorted({"torch", "matplotlib", "matplotlib.pyplot", "gradio"} & set(sys.modules)))
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout.strip() == "['matplotlib']"
