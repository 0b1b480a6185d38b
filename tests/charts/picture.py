"""Look into a PNG: its pixels, however they were compressed."""

import struct
import zlib

import numpy as np


def pixels(png: bytes) -> np.ndarray:
    """uint8[height, width, 4] of an RGBA picture that is not interlaced."""
    assert png[:8] == b"\x89PNG\r\n\x1a\n"
    at, data, size = 8, b"", (0, 0)
    while at < len(png):
        (length,) = struct.unpack_from(">I", png, at)
        kind, content = png[at + 4 : at + 8], png[at + 8 : at + 8 + length]
        (check,) = struct.unpack_from(">I", png, at + 8 + length)
        assert check == zlib.crc32(kind + content)
        if kind == b"IHDR":
            *size, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", content)
            assert (depth, colour, interlaced) == (8, 6, 0)
        elif kind == b"IDAT":
            data += content
        at += 12 + length
    width, height = size
    lines = np.frombuffer(zlib.decompress(data), np.uint8).reshape(height, 1 + 4 * width)
    picture = np.zeros((height + 1, 4 + 4 * width), np.int64)  # with a border above and left
    for y, line in enumerate(lines, start=1):
        unfilter(int(line[0]), line[1:].astype(np.int64), picture[y], picture[y - 1])
    return picture[1:, 4:].reshape(height, width, 4).astype(np.uint8)


def unfilter(filtered: int, line: np.ndarray, row: np.ndarray, above: np.ndarray) -> None:
    """Undo one of the five filters of PNG (section 9.2 of its specification)."""
    if filtered == 0:
        row[4:] = line
    elif filtered == 2:
        row[4:] = (line + above[4:]) % 256
    else:
        for x, value in enumerate(line.tolist(), start=4):
            left, up, corner = int(row[x - 4]), int(above[x]), int(above[x - 4])
            row[x] = (value + predict(filtered, left, up, corner)) % 256


def predict(filtered: int, left: int, up: int, corner: int) -> int:
    if filtered == 1:
        return left
    if filtered == 3:
        return (left + up) // 2
    estimate = left + up - corner
    return min((left, up, corner), key=lambda value: abs(estimate - value))


def has_colour(picture: np.ndarray, colour: str) -> int:
    """How many pixels have exactly this colour, #rrggbb."""
    wanted = [int(colour[i : i + 2], 16) for i in (1, 3, 5)]
    return int((picture[:, :, :3] == wanted).all(axis=2).sum())
