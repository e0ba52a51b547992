"""Pictures as their pixels."""

import io

import numpy as np

RED, BLUE, GREEN = (0xC8, 0x37, 0x2D), (0x2F, 0x66, 0x90), (0xD8, 0xE8, 0xDC)  # anomalous, the series, expected


def pixels(png):
    """uint8[height, width, 3] of a PNG, which must be whole."""
    from matplotlib.image import imread

    return (imread(io.BytesIO(png), format="png")[..., :3] * 255).round().astype(np.uint8)


def places(image, colour, tolerance=6):
    """Rows and columns of the pixels of a colour."""
    return np.nonzero((np.abs(image.astype(int) - colour) <= tolerance).all(axis=2))
