"""The one rule of how maps are drawn: its scale, its colours against matplotlib's, and what the page is told of it."""

import base64

import matplotlib as mpl
import numpy as np
import pytest

from captioner.render.looks import LEVELS, Style, colour_table, figures, inferno, layer, scale_tops

EVEN, SHARP = np.full((3, 2), 1 / 6, np.float32), np.array([[0, 0], [1, 0], [0, 0]], np.float32)


def test_heat_is_matplotlibs_inferno():
    for count, near in ((17, 1), (101, 8)):  # at its own places, and between them
        share = np.linspace(0, 1, count)
        np.testing.assert_allclose(255 * inferno(share), 255 * mpl.colormaps["inferno"](share)[:, :3], atol=near)


def test_the_colours_are_ordered_without_any_hue():
    """Lightness alone rises, as for those who see no colours: CIE luminance from the linear channels."""
    luminance = inferno(np.linspace(0, 1, 64)) ** 2.2 @ np.array([0.2126, 0.7152, 0.0722])
    assert (np.diff(luminance) > 0).all()


def test_an_even_map_does_not_look_like_a_choice():
    """A word's scale ends at its peak, but never below four times an even share; that of a caption at its highest."""
    assert scale_tops([EVEN, SHARP], "word") == pytest.approx([4 / 6, 1])
    assert scale_tops([EVEN, SHARP], "caption") == [1, 1]
    assert scale_tops([], "caption") == []
    opacity = [layer(EVEN, top, Style("heat", "word"))[0, 0, 3] for top in scale_tops([EVEN, EVEN * 6], "word")]
    assert opacity[0] < 0.5 * opacity[1] * 4


def test_heat_is_clear_where_nothing_is_and_a_spotlight_where_all_is():
    for look, clear, full in (("heat", 0, 1), ("spotlight", 1, 0)):
        painted = layer(np.array([[0, 1]], np.float32), 1, Style(look, opacity=0.6))
        assert painted[0, clear, 3] == 0
        assert painted[0, full, 3] == pytest.approx(0.6)


def test_a_weight_beyond_the_scale_has_its_strongest_colour():
    painted = layer(np.array([[1, 2, 50]], np.float32), 2, Style("heat"))
    assert np.array_equal(painted[0, 1], painted[0, 2])
    assert not np.array_equal(painted[0, 0], painted[0, 1])


def test_the_page_is_told_the_very_tables():
    for look, encoded in figures()["tables"].items():
        table = np.frombuffer(base64.b64decode(encoded), np.uint8).reshape(LEVELS, 4)
        np.testing.assert_allclose(table / 255, colour_table(look), atol=0.51 / 255)
