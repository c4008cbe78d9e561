"""How a map of attention becomes colours: the one rule of scale, colours and opacity, for pictures and for the page.

The page gets these figures with its player and has none of its own. No matplotlib: its import would hold up the page.
"""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from captioner.caption import Floats

StyleLook = Literal["heat", "spotlight"]
StyleScale = Literal["caption", "word"]

SHARPEST = 4.0  # a word's scale ends at four times "no preference" or higher: an even map must not look like a choice
OPACITY = 0.8
LEVELS = 512
DARK = (6, 6, 10)
# matplotlib's inferno at 17 places, safe for the colour-blind and in grey print.
INFERNO = [
    *("000004", "0b0724", "210c4a", "3d0965", "57106e", "71196e", "8a226a", "a32c61"),
    *("bc3754", "d24644", "e45a31", "f1731d", "f98e09", "fcac11", "f9cb35", "f2ea69", "fcffa4"),
]


@dataclass(frozen=True)
class Style:
    """How maps are laid over the photo.

    Attributes:
        look: ``heat``, colours over the photo, clear where nobody looks; or ``spotlight``, the paper's (attended
            regions keep their light, the rest goes dark).
        scale: ``word``, each word's own; or ``caption``, one scale for all words, so that they can be compared.
        opacity: of the strongest colour, in [0, 1].
    """

    look: StyleLook = "heat"
    scale: StyleScale = "word"
    opacity: float = OPACITY


def scale_tops(alphas: Sequence[Floats], scale: StyleScale) -> list[float]:
    """The weight at which the scale of each map ends, that of its strongest colour.

    Of a word alone: its highest weight, or `SHARPEST` times ``1/L`` if that is more. Of a caption: the highest of all.

    Args:
        alphas: N maps ``(rows, columns)``.
    """
    if scale == "word":
        return [max(float(alpha.max()), SHARPEST / alpha.size) for alpha in alphas]
    return [max((float(alpha.max()) for alpha in alphas), default=1e-6)] * len(alphas)


def colour_table(look: StyleLook) -> Floats:
    """``(LEVELS, 4)``: red, green, blue and opacity in [0, 1], from no attention to the scale's end, undimmed."""
    share = np.linspace(0, 1, LEVELS)
    if look == "heat":  # starts a little above black, and is clear where nothing is: the photo stays readable
        colours, opacity = inferno(0.18 + 0.82 * share), np.minimum(1, 1.25 * share**0.9)
    else:
        colours, opacity = np.tile(np.array(DARK) / 255, (LEVELS, 1)), 1 - share**0.7
    return np.column_stack([colours, opacity]).astype(np.float32)


def inferno(share: NDArray[np.float64]) -> NDArray[np.float64]:
    """``(N,)`` in [0, 1] → ``(N, 3)``, linear between 17 of matplotlib's colours."""
    stops = np.array([[int(stop[at : at + 2], 16) for at in (0, 2, 4)] for stop in INFERNO]) / 255
    places = np.linspace(0, 1, len(stops))
    return np.column_stack([np.interp(share, places, stops[:, channel]) for channel in range(3)])


def layer(weights: Floats, top: float, style: Style) -> Floats:
    """What is laid over the photo: weights ``(height, width)`` → ``(height, width, 4)``, opacity last, in [0, 1]."""
    levels = np.minimum(LEVELS - 1, (weights * ((LEVELS - 1) / max(top, 1e-12)) + 0.5).astype(int))
    painted: Floats = colour_table(style.look)[levels]
    painted[..., 3] *= style.opacity
    return painted


def figures() -> dict[str, Any]:
    """All that the page needs to draw alike; the tables as bytes, RGBA, in base64."""
    tables = {look: (255 * colour_table(look)).round().astype(np.uint8).tobytes() for look in get_args(StyleLook)}
    encoded = {look: base64.b64encode(table).decode("ascii") for look, table in tables.items()}
    return {"sharpest": SHARPEST, "opacity": OPACITY, "tables": encoded}
