"""Photos on their way in: uploads and downloads become upright, 8-bit, metadata-free JPEG or PNG files.

``intake`` is the front door for uploads, ``download`` for URLs; both refuse what is no photo by name,
before anything is stored.
"""

from pastelka_orders.photos.download import PhotoDownloader
from pastelka_orders.photos.errors import PhotoRefusedError, PhotosRefusedError
from pastelka_orders.photos.intake import PhotoIntake, StagedPhoto
from pastelka_orders.photos.normalise import NormalisedPhoto
from pastelka_orders.photos.photo_limits import PhotoLimits
from pastelka_orders.photos.urls import UrlRules

__all__ = [
    "NormalisedPhoto",
    "PhotoDownloader",
    "PhotoIntake",
    "PhotoLimits",
    "PhotoRefusedError",
    "PhotosRefusedError",
    "StagedPhoto",
    "UrlRules",
]
