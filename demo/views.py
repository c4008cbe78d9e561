"""The photo as the page shows it: one JPEG file a photo, named by what is in it."""

from __future__ import annotations

import hashlib
import io
from pathlib import Path

from PIL.Image import Image

QUALITY = 90


def keep_view(view: Image, folder: Path) -> Path:
    """Write the view as a JPEG into ``folder``, under a name nobody can guess without the photo."""
    buffer = io.BytesIO()
    view.save(buffer, "JPEG", quality=QUALITY)
    content = buffer.getvalue()
    path = folder / hashlib.sha256(content).hexdigest()[:32] / "photo.jpg"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path
