"""Request and response bodies of uploaded and edited photos."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from pastelka_orders.domain.photo_edit import MAX_STRAIGHTEN, MAX_TONE, MIN_CROP

_DIGITS = 6
_SLACK = 10**-_DIGITS


def _rounded(digits: int) -> AfterValidator:
    return AfterValidator(lambda value: round(value, digits) + 0.0)  # no negative zero


_Start = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False), _rounded(_DIGITS)]
_Extent = Annotated[float, Field(ge=MIN_CROP, le=1, allow_inf_nan=False), _rounded(_DIGITS)]
QuarterTurns = Annotated[int, Field(ge=0, le=3, description="Clockwise")]
Straighten = Annotated[
    float,
    Field(
        ge=-MAX_STRAIGHTEN,
        le=MAX_STRAIGHTEN,
        allow_inf_nan=False,
        description="Degrees, clockwise; the photo is enlarged so that no corner is empty",
    ),
    _rounded(2),
]
Tone = Annotated[int, Field(ge=-MAX_TONE, le=MAX_TONE, description="Percent, like the CSS filter function")]


class CropModel(BaseModel):
    """A part of the turned and straightened photo; fractions of its sides."""

    model_config = ConfigDict(extra="forbid")

    left: _Start = 0.0
    top: _Start = 0.0
    width: _Extent = 1.0
    height: _Extent = 1.0

    @model_validator(mode="after")
    def _is_inside(self) -> "CropModel":
        if self.left + self.width > 1 + _SLACK or self.top + self.height > 1 + _SLACK:
            raise ValueError("the crop must end inside the photo: left + width and top + height at most 1")
        return self


class PhotoEditModel(BaseModel):
    """Parameters of an edit."""

    quarter_turns: QuarterTurns
    straighten: Straighten
    crop: CropModel
    brightness: Tone
    contrast: Tone


class PhotoEditPatch(BaseModel):
    """New parameters; absent ones stay. Those of the original: 0, and `null` for the crop."""

    model_config = ConfigDict(extra="forbid")

    quarter_turns: QuarterTurns = 0
    straighten: Straighten = 0.0
    crop: CropModel | None = None
    brightness: Tone = 0
    contrast: Tone = 0


class PhotoEditState(BaseModel):
    """The edit of a photo, beside its original."""

    id: int
    original_url: str | None = Field(description="The original, served as a file; null until it is stored")
    width: int | None = Field(description="Of the original, in pixels; null if unknown")
    height: int | None
    edit: PhotoEditModel


class RefusedPhoto(BaseModel):
    """A file of an upload that is not a usable photo; it was not stored."""

    position: int = Field(description="Position of the file in the upload, from 1")
    name: str = Field(description="The file's name, safe for display")
    code: str = Field(examples=["photo_truncated"])
    detail: str = Field(description="Cause and remedy")
