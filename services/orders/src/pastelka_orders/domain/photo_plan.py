"""Plans the changes of an order's photos when the shop's differ. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum, auto

Place = tuple[int, int]
"""Id of the line item, position in it."""


class RefetchPolicy(Enum):
    """Which photos that are not stored are downloaded again."""

    NONE = auto()
    FAILED = auto()
    """Photos whose download failed."""
    MISSING = auto()
    """All missing photos: the caller cannot rely on their download jobs."""


@dataclass(frozen=True, slots=True)
class StoredPhotoState:
    """A photo as the database has it."""

    image_id: int
    place: Place
    url: str | None
    is_stored: bool
    has_failed: bool


@dataclass(frozen=True, slots=True)
class PhotoPlan:
    """Changes to make. ``replaced`` and ``refetch`` are URLs by image id."""

    added: Mapping[Place, str] = field(default_factory=dict)
    replaced: Mapping[int, str] = field(default_factory=dict)
    refetch: Mapping[int, str] = field(default_factory=dict)
    dropped: tuple[int, ...] = ()

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to change."""
        return not (self.added or self.replaced or self.refetch or self.dropped)


def split_overridden(
    wanted: Mapping[Place, str], overrides: Mapping[Place, str | None]
) -> tuple[dict[Place, str], dict[Place, str]]:
    """Split the shop's photos: those to take over, and those that an operator's change keeps out.

    The latter are only the ones that the shop changed since.
    """
    rest = {place: url for place, url in wanted.items() if place not in overrides}
    changed = {place: url for place, url in wanted.items() if place in overrides and overrides[place] != url}
    return rest, changed


def plan_photos(
    wanted: Mapping[Place, str], present: Iterable[StoredPhotoState], refetch: RefetchPolicy
) -> PhotoPlan:
    """Compare. A photo that the shop no longer has is dropped only if it is not stored."""
    here = {photo.place: photo for photo in present}
    # A stored photo without a URL is not the shop's, so the shop never replaces it.
    replaced = {
        photo.image_id: wanted[place]
        for place, photo in here.items()
        if place in wanted and photo.url != wanted[place] and not (photo.url is None and photo.is_stored)
    }
    return PhotoPlan(
        added={place: url for place, url in wanted.items() if place not in here},
        replaced=replaced,
        refetch={
            photo.image_id: wanted[place]
            for place, photo in here.items()
            if place in wanted and photo.image_id not in replaced and _needs_refetch(photo, refetch)
        },
        dropped=tuple(
            photo.image_id for place, photo in here.items() if place not in wanted and not photo.is_stored
        ),
    )


def _needs_refetch(photo: StoredPhotoState, refetch: RefetchPolicy) -> bool:
    if photo.is_stored or refetch is RefetchPolicy.NONE:
        return False
    return photo.has_failed or refetch is RefetchPolicy.MISSING
