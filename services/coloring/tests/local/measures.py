"""What the tests measure on a page."""

import io

import cv2
import numpy as np
from PIL import Image
from skimage.morphology import skeletonize


def pixels(page):
    return np.asarray(Image.open(io.BytesIO(page)))


def ink(page):
    return 1 - pixels(page).mean() / 255


def areas(page, least=100):
    """How many areas of at least so many pixels there are to color."""
    _, _, stats, _ = cv2.connectedComponentsWithStats((pixels(page) > 128).astype(np.uint8), connectivity=4)
    return int((stats[1:, cv2.CC_STAT_AREA] > least).sum())


def specks(page):
    """How many dots there are on the page: ink of less than an eightieth of its scale."""
    dark = pixels(page) < 128
    _, _, stats, _ = cv2.connectedComponentsWithStats(dark.astype(np.uint8), connectivity=8)
    return int((stats[1:, 2:4].max(axis=1) < 0.012 * dark.size**0.5).sum())


def open_ends(page):
    """How many lines end in the white, by the megapixel."""
    lines = skeletonize(pixels(page) < 128)
    around = cv2.filter2D(lines.astype(np.uint8), -1, np.ones((3, 3)), borderType=cv2.BORDER_CONSTANT)
    ends = lines & (around == 2)
    return ends[8:-8, 8:-8].sum() / ends.size * 1e6
