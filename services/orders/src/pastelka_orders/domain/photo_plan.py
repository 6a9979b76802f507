"""What becomes of an order's photos when the shop has other ones: pure, decided for all at once."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

Place = tuple[int, int]
"""Id of the line item, position in it."""


class RefetchPolicy(Enum):
    """Which photos that are not stored are asked for again."""

    NONE = auto()
    FAILED = auto()
    """Those that could not be fetched."""
    MISSING = auto()
    """All of them: the caller cannot rely on their download jobs."""


@dataclass(frozen=True, slots=True)
class StoredPhotoState:
    """A photo as it is here."""

    image_id: int
    place: Place
    url: str | None
    is_stored: bool
    has_failed: bool


@dataclass(frozen=True, slots=True)
class PhotoPlan:
    """What is to be done. ``replaced`` and ``again`` are URLs by image."""

    added: Mapping[Place, str] = field(default_factory=dict)
    replaced: Mapping[int, str] = field(default_factory=dict)
    again: Mapping[int, str] = field(default_factory=dict)
    dropped: tuple[int, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether nothing is to be done."""
        return not (self.added or self.replaced or self.again or self.dropped)


def plan_photos(
    wanted: Mapping[Place, str], present: Iterable[StoredPhotoState], again: RefetchPolicy
) -> PhotoPlan:
    """Compare. A photo that the shop has no longer is dropped only while it is not stored."""
    here = {photo.place: photo for photo in present}
    # A stored photo without a URL does not come from the shop, so the shop never replaces it.
    replaced = {
        photo.image_id: wanted[place]
        for place, photo in here.items()
        if place in wanted and photo.url != wanted[place] and not (photo.url is None and photo.is_stored)
    }
    return PhotoPlan(
        added={place: url for place, url in wanted.items() if place not in here},
        replaced=replaced,
        again={
            photo.image_id: wanted[place]
            for place, photo in here.items()
            if place in wanted and photo.image_id not in replaced and _asked_again(photo, again)
        },
        dropped=tuple(
            photo.image_id for place, photo in here.items() if place not in wanted and not photo.is_stored
        ),
    )


def _asked_again(photo: StoredPhotoState, again: RefetchPolicy) -> bool:
    if photo.is_stored or again is RefetchPolicy.NONE:
        return False
    return photo.has_failed or again is RefetchPolicy.MISSING
