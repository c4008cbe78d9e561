"""Small colour profiles made by hand (ICC.1:2001-04, version 2), and what they mean in plain NumPy."""

import struct

import numpy as np

# Primaries as XYZ under D50, one column each: of Display P3 (SMPTE EG 432-1, adapted by Bradford) and of sRGB.
P3 = np.array([[0.51512, 0.29198, 0.15710], [0.24120, 0.69225, 0.06657], [-0.00105, 0.04189, 0.78407]])
SRGB = np.array([[0.43607, 0.38515, 0.14307], [0.22249, 0.71687, 0.06061], [0.01392, 0.09708, 0.71410]])
D50 = np.array([0.9642, 1.0, 0.8249])


def rgb_profile(primaries=P3, gamma=2.2):
    tags = {name: xyz(column) for name, column in zip(("rXYZ", "gXYZ", "bXYZ"), primaries.T, strict=True)}
    return profile("mntr", "RGB ", "XYZ ", tags | {name: curve(gamma) for name in ("rTRC", "gTRC", "bTRC")})


def grey_profile(gamma=1.0):
    return profile("mntr", "GRAY", "XYZ ", {"kTRC": curve(gamma)})


def ink_profile(lab_of):
    """Of CMYK, from a function of four inks, each 0 or 1, to L*a*b*; between them it is interpolated."""
    corners = [lab_of(*(index >> bit & 1 for bit in (3, 2, 1, 0))) for index in range(16)]
    cells = bytes(round(value) for lightness, a, b in corners for value in (lightness * 2.55, a + 128, b + 128))
    ramp = bytes(range(256))
    matrix = struct.pack(">9i", *(65536 if index % 4 == 0 else 0 for index in range(9)))
    table = b"mft1" + bytes(4) + bytes([4, 3, 2, 0]) + matrix + 4 * ramp + cells + 3 * ramp
    return profile("prtr", "CMYK", "Lab ", {"A2B0": table})


def to_srgb(colours, primaries=P3, gamma=2.2):
    """``(…, 3)`` of 0 to 255 in a space of `rgb_profile` → sRGB by the definitions; IEC 61966-2-1."""
    light = (colours / 255) ** gamma @ (np.linalg.inv(SRGB) @ primaries).T
    return encoded(light)


def lab_to_srgb(lab):
    """L*a*b* under D50 → sRGB of 0 to 255."""
    lightness, a, b = lab
    middle = (lightness + 16) / 116
    parts = np.array([middle + a / 500, middle, middle - b / 200])
    light = np.where(parts > 6 / 29, parts**3, 3 * (6 / 29) ** 2 * (parts - 4 / 29)) * D50
    return encoded(np.linalg.inv(SRGB) @ light)


def encoded(light):
    light = light.clip(0, 1)
    return 255 * np.where(light <= 0.0031308, 12.92 * light, 1.055 * light ** (1 / 2.4) - 0.055)


def profile(device, space, connection, tags):
    """A profile of the given tags."""
    tags = {"desc": text("desc", "test"), "cprt": text("text", "none"), "wtpt": xyz(D50), **tags}
    contents, table, at = b"", struct.pack(">I", len(tags)), 128 + 4 + 12 * len(tags)
    for name, content in tags.items():
        table += name.encode() + struct.pack(">II", at + len(contents), len(content))
        contents += content + bytes(-len(content) % 4)
    header = struct.pack(">I4xI", 128 + len(table) + len(contents), 0x02400000)
    header += (device + space + connection).encode() + struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp"
    header = header.ljust(68, b"\0") + fixed(D50)
    return header.ljust(128, b"\0") + table + contents


def fixed(numbers):
    return struct.pack(f">{len(numbers)}i", *(round(each * 65536) for each in numbers))


def xyz(numbers):
    return b"XYZ \0\0\0\0" + fixed(numbers)


def curve(gamma):
    return b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))


def text(kind, content):
    if kind == "text":
        return b"text\0\0\0\0" + content.encode() + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(content) + 1) + content.encode() + bytes(1 + 4 + 4 + 2 + 1 + 67)
