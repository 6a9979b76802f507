"""Indices of the 468 landmarks of MediaPipe's face mesh (``face_mesh_connections``).

Left and right are the person's. Contours run from the outer to the inner corner, or from the
right to the left of the face.
"""

OVAL = (
    10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377,
    152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109,
)  # fmt: skip
JAW = (
    127, 234, 93, 132, 58, 172, 136, 150, 149, 176, 148, 152,
    377, 400, 378, 379, 365, 397, 288, 361, 323, 454, 356,
)  # fmt: skip
# From the temples over the brows, then along the jaw: the area with the face's own lines.
INNER = (
    54, 68, 104, 69, 108, 151, 337, 299, 333, 298, 284, 251, 389, 356, 454, 323, 361, 288, 397,
    365, 379, 378, 400, 377, 152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21,
)  # fmt: skip
CHIN = (
    58, 172, 136, 150, 149, 176, 148, 152, 377, 400, 378, 379, 365, 397, 288, 57, 287, 164,
)  # fmt: skip

UPPER_LIDS = ((33, 246, 161, 160, 159, 158, 157, 173, 133), (263, 466, 388, 387, 386, 385, 384, 398, 362))
LOWER_LIDS = ((33, 7, 163, 144, 145, 153, 154, 155, 133), (263, 249, 390, 373, 374, 380, 381, 382, 362))
UPPER_BROWS = ((70, 63, 105, 66, 107), (300, 293, 334, 296, 336))
LOWER_BROWS = ((46, 53, 52, 65, 55), (276, 283, 282, 295, 285))
EYES = tuple((*upper, *lower[1:-1]) for upper, lower in zip(UPPER_LIDS, LOWER_LIDS, strict=True))
BROWS = tuple((*upper, *lower) for upper, lower in zip(UPPER_BROWS, LOWER_BROWS, strict=True))
BETWEEN_BROWS = (9, 8, 168, 6, 55, 285)

# From the forehead over nose and lips to the chin: the outline of a face from the side.
PROFILE = (10, 151, 9, 8, 168, 6, 197, 195, 5, 4, 1, 2, 164, 0, 13, 14, 17, 18, 200, 199, 175, 152)

NOSE_BASE = (48, 64, 98, 97, 2, 326, 327, 294, 278)
NOSE_HALVES = ((48, 64, 98, 97, 2), (278, 294, 327, 326, 2))
NOSE_BRIDGE = (6, 197, 195, 5, 4, 1, 2)
NOSE = (*NOSE_BASE, 1, 4, 5, 195, 219, 439)
NOSE_TIP = 1

OUTER_LIP_UPPER = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
OUTER_LIP_LOWER = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
INNER_LIP_UPPER = (78, 191, 80, 81, 82, 13, 312, 311, 310, 415, 308)
INNER_LIP_LOWER = (78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308)

OUTER_CORNERS, INNER_CORNERS = (33, 263), (133, 362)
CHEEKS = (234, 454)
EARS = (127, 356)
FOREHEAD, CHIN_TIP = 10, 152
