"""Pictures of a caption: overlay, the paper's figure, an animation. No torch, no pyplot.

matplotlib and scikit-image are imported by the first picture: they take as long as the rest of the page.
"""

from captioner.render.animation import ANIMATION_SUFFIXES, frames, save_animation
from captioner.render.figure import FIGURE_SUFFIXES, figure, save_figure
from captioner.render.looks import Style, StyleLook, StyleScale, overlay, smooth

__all__ = [
    "ANIMATION_SUFFIXES",
    "FIGURE_SUFFIXES",
    "Style",
    "StyleLook",
    "StyleScale",
    "figure",
    "frames",
    "overlay",
    "save_animation",
    "save_figure",
    "smooth",
]
