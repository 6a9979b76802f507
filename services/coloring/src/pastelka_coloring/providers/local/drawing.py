"""Computes the strokes of a page: photo to edges, faces, subject, regions, curves."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import gaussian_filter1d

from pastelka_coloring.providers.local import subject
from pastelka_coloring.providers.local.animal_eyes import animal_eyes
from pastelka_coloring.providers.local.attention import Lines, importance, line_strength, weakened
from pastelka_coloring.providers.local.boundaries import Labels, trace_boundaries
from pastelka_coloring.providers.local.detail import Detail, detail_of
from pastelka_coloring.providers.local.detector import EdgeDetector
from pastelka_coloring.providers.local.edges import detect_edges
from pastelka_coloring.providers.local.face_drawing import draw_face
from pastelka_coloring.providers.local.face_zones import eye_zones, feature_zones, jaw_lines
from pastelka_coloring.providers.local.faces import Face, find_faces
from pastelka_coloring.providers.local.focus import sharpness
from pastelka_coloring.providers.local.glasses import Glasses, find_glasses
from pastelka_coloring.providers.local.inner_strokes import StrokeContext, inner_strokes
from pastelka_coloring.providers.local.line_width import even_ink
from pastelka_coloring.providers.local.patches import patch_borders
from pastelka_coloring.providers.local.regions import RegionGraph, boundary_strengths, oversegment, sample
from pastelka_coloring.providers.local.resizing import Shape, blurred, resized, scale_of
from pastelka_coloring.providers.local.ridges import Ridges, find_ridges, normalized
from pastelka_coloring.providers.local.smoothing import smooth_boundaries
from pastelka_coloring.providers.local.strokes import Ink, Stroke, area, line, ring
from pastelka_coloring.providers.local.style import Background, PageStyle

# Minimum size of drawn faces, as a share of the map's scale.
_MIN_FACE = 0.045
# Weight of color borders in the watershed; suppression inside faces.
_COLOR_EDGES, _IN_FACE = 0.75, 0.97
# Line widths: of a faint line, added by strength, maximum; added at the subject's outline.
_FAINT, _STRENGTH, _WIDEST, _OUTLINE = 0.74, 0.34, 1.1, 0.45
_LENS_WIDTH, _FRAME_OFFSET = 0.95, 0.9
# Maximum extent, as a share of the scale, of a speck, and of an isolated scrap outside the subject; saliency
# below which a pixel is outside.
_SPECK, _SCRAP, _OUTSIDE = 0.018, 0.05, 0.3
# Without a background, minimum share of a face's points in the subject.
_INSIDE = 0.5
# Number of open ends of a face: its nose, the corners of its eyes.
_FACE_ENDS = 6
# A face's lines are never wider than this share of its side.
_FACE_WIDTH = 0.022


@dataclass(frozen=True, slots=True)
class _Features:
    """Features of the photo before segmentation into regions; images are (height, width)."""

    edges: NDArray[np.float32]
    bare_edges: NDArray[np.float32]
    crispness: NDArray[np.float32]
    lines: Lines
    direction: NDArray[np.float32]
    mask: NDArray[np.float32] | None
    lab: NDArray[np.float32]
    faces: list[tuple[Face, Glasses | None]]
    eyes: list[Stroke]


def strokes_of(
    photo: NDArray[np.uint8], shape: Shape, style: PageStyle, detector: EdgeDetector
) -> list[Stroke]:
    """Return the strokes of an RGB photo's page, in pixels of a map of ``shape``, in drawing order.

    Empty if there is nothing to draw.
    """
    detail = detail_of(style.steps)
    width = detail.line * style.width * scale_of(shape)
    features = _extract_features(photo, shape, detector, detail, style)
    labels, salient = _regions(features, detail, style)
    important = np.ones(shape, np.float32) if salient is None else importance(salient, detail)
    faces = features.faces
    if style.background is Background.NONE and salient is not None:
        labels, inside = subject.only_subject(labels, salient)
        important = important * inside
        faces = [(face, glasses) for face, glasses in faces if sample(inside, face.points).mean() > _INSIDE]
    strokes = _outlines(features, labels, salient, detail, width)
    around = StrokeContext(strokes, important, width, _FACE_ENDS * len(faces))
    strokes += inner_strokes(features.bare_edges, around, detail)
    strokes = [*even_ink(strokes, shape, style.width), *features.eyes]
    for face, glasses in faces:
        strokes += draw_face(face, width, has_glasses=glasses is not None)
        strokes += _frames(face, glasses, width)
    return [*strokes, *_page_frame(shape, width)] if style.has_frame and strokes else strokes


def _extract_features(
    photo: NDArray[np.uint8], shape: Shape, detector: EdgeDetector, detail: Detail, style: PageStyle
) -> _Features:
    found = detect_edges(photo, shape, detector)
    faces = _faces(photo, found.edges)
    zones = feature_zones(faces, shape)
    jaws = jaw_lines(faces, shape)
    bare = np.asarray(found.edges * (1 - _IN_FACE * zones), np.float32)
    edges = np.maximum(bare, jaws)
    small = resized(photo, shape)
    mask = _plausible_mask(photo, small, edges, detail, style)
    eyes = [] if mask is None or faces else animal_eyes(small, mask)
    if eyes:
        around = eye_zones(eyes, shape)
        bare, edges = (np.asarray(each * (1 - _IN_FACE * around), np.float32) for each in (bare, edges))
        zones = np.maximum(zones, around)
    if mask is not None:
        edges = np.maximum(edges, subject.silhouette(mask))
        least = (1 + detail.background) / 2
        edges *= least + (1 - least) * np.clip(2 * mask, 0, 1)
    borders = patch_borders(photo, shape) * (1 - _IN_FACE * zones)
    lines = line_strength(edges, borders, found.crispness, sharpness(photo, shape))
    edges = np.asarray(edges + _COLOR_EDGES * borders * (1 - edges), np.float32)
    kept = 1 - np.clip((zones - 0.5) * 2, 0, 1) * (1 - jaws)
    return _Features(
        edges,
        bare,
        found.crispness,
        Lines(lines, kept.astype(np.float32)),
        find_ridges(edges, 3.0).direction,
        mask,
        _lab(photo, shape),
        faces,
        eyes,
    )


def _faces(photo: NDArray[np.uint8], edges: NDArray[np.float32]) -> list[tuple[Face, Glasses | None]]:
    """Return the faces in pixels of the map, smallest first, with their glasses."""
    scale = edges.shape[1] / photo.shape[1]
    smallest = _MIN_FACE * scale_of(edges.shape)
    faces = [face.scaled(scale) for face in find_faces(photo, smallest / scale)]
    if not faces:
        return []
    found = find_ridges(edges, 2.0)
    ridges = Ridges(normalized(found.strength), found.direction)
    return [(face, find_glasses(face, ridges)) for face in faces]


def _plausible_mask(
    photo: NDArray[np.uint8],
    small: NDArray[np.uint8],
    edges: NDArray[np.float32],
    detail: Detail,
    style: PageStyle,
) -> NDArray[np.float32] | None:
    if style.background is Background.KEEP:
        return None
    mask = subject.subject_mask(photo, small)
    strength = Lines(normalized(find_ridges(edges, 2.4).strength), np.ones_like(edges))
    return mask if subject.is_plausible(mask, strength.standing_out(2.0)) else None


def _lab(photo: NDArray[np.uint8], shape: Shape) -> NDArray[np.float32]:
    flat = np.asarray(cv2.bilateralFilter(photo, 7, 40, 5), np.uint8)
    small = (resized(flat, shape).astype(np.float32) / 255).clip(0, 1)
    return np.asarray(cv2.cvtColor(small, cv2.COLOR_RGB2Lab), dtype=np.float32)


def _regions(
    features: _Features, detail: Detail, style: PageStyle
) -> tuple[Labels, NDArray[np.float32] | None]:
    """Return the labels of the page's regions, and each pixel's saliency."""
    labels = oversegment(features.edges)
    boundaries = trace_boundaries(labels)
    even = np.full(labels.shape, 1 / labels.size, np.float32)
    ridges = _widened(features.lines.standing_out(detail.surround))
    strengths = boundary_strengths(boundaries, Ridges(ridges, features.direction))
    graph = RegionGraph(labels, features.lab, even, boundaries, strengths)
    salient = None
    if style.background is not Background.KEEP:
        salient = _salient(features, graph, labels)
    if salient is not None:
        ridges = weakened(features.lines, salient, features.crispness, detail, style.background)
        strengths = boundary_strengths(boundaries, Ridges(_widened(ridges), features.direction))
        weight = importance(salient, detail) / np.float32(labels.size)
        graph = RegionGraph(labels, features.lab, weight, boundaries, strengths)
    return np.asarray(graph.merge(detail)[labels], dtype=np.int32), salient


def _salient(features: _Features, graph: RegionGraph, labels: Labels) -> NDArray[np.float32] | None:
    salient = subject.saliency(graph, labels)
    if features.mask is not None:
        salient = np.maximum(
            salient * (0.35 + 0.4 * features.crispness), np.clip(1.5 * features.mask - 0.25, 0, 1)
        )
    if float((salient > 0.5).mean()) <= subject.LEAST_SALIENT:  # noqa: PLR2004
        return None
    return blurred(salient.astype(np.float32), 3.0)


def _widened(strength: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the strength of the strongest line within a pixel: boundaries run between pixels."""
    return np.asarray(cv2.dilate(strength, np.ones((3, 3), np.uint8)), dtype=np.float32)


def _outlines(
    features: _Features, labels: Labels, salient: NDArray[np.float32] | None, detail: Detail, width: float
) -> list[Stroke]:
    """Return the boundaries of the regions as smooth lines, wider where strong and around the subject."""
    boundaries = trace_boundaries(labels)
    clear = np.minimum(features.lines.clear, 1.2)
    strengths = np.array([float(sample(clear, boundary.points).mean()) for boundary in boundaries])
    near = np.minimum(cv2.dilate(features.lines.clear, np.ones((5, 5), np.uint8)), 1.3)
    outline = None if salient is None else _outline(salient)
    strokes = []
    for curve in smooth_boundaries(boundaries, strengths, detail.rounding * scale_of(clear.shape)):
        if curve.is_closed:
            is_outside = salient is not None and float(sample(salient, curve.points).mean()) < _OUTSIDE
            least = (_SCRAP if is_outside else _SPECK) * scale_of(clear.shape)
            if float(np.ptp(curve.points, axis=0).max()) < least:
                continue
        strong = gaussian_filter1d(sample(near, curve.points), 25, mode="nearest")
        widths = width * np.clip(_FAINT + _STRENGTH * strong, _FAINT, _WIDEST)
        if outline is not None:
            around = gaussian_filter1d(sample(outline, curve.points), 12, mode="nearest")
            widths = widths * (1 + _OUTLINE * around)
        strokes.append(line(curve.points, widths))
    return strokes


def _outline(salient: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return 1 where the subject meets its background."""
    around = np.ones((13, 13), np.uint8)
    high, low = cv2.dilate(salient, around), cv2.erode(salient, around)
    return ((high > 0.75) & (low < 0.45)).astype(np.float32)  # noqa: PLR2004


def _frames(face: Face, glasses: Glasses | None, width: float) -> list[Stroke]:
    if glasses is None:
        return []
    width = min(width, face.side * _FACE_WIDTH) * _LENS_WIDTH
    return [line(part, width) for part in (*glasses.lenses, *glasses.parts)]


def _page_frame(shape: Shape, width: float) -> list[Stroke]:
    """Return the frame, and white areas that cover lines beyond it."""
    gap = width * _FRAME_OFFSET
    right, bottom = shape[1] - 1 - gap, shape[0] - 1 - gap
    corners = np.array([(gap, gap), (right, gap), (right, bottom), (gap, bottom)])
    outer = np.array([(-1, -1), (shape[1], -1), (shape[1], shape[0]), (-1, shape[0])], dtype=np.float64)
    sides = [[outer[k], outer[k - 1], corners[k - 1], corners[k]] for k in range(4)]
    return [*(area(np.array(side), Ink.WHITE) for side in sides), line(ring(corners), width)]
