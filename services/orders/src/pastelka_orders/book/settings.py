"""Settings of printing: defaults of a book's options."""

import json
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError, field_validator
from pydantic_settings import NoDecode

from pastelka_common.settings import ServiceSettings
from pastelka_orders.book.description import Backs, BookOptions, FontName, Layout, Orientation, PaperName

Layouts = dict[str, Layout]

_LAYOUTS: TypeAdapter[Layouts] = TypeAdapter(Layouts)


class PrintSettings(ServiceSettings):
    """``PRINT_*`` of the environment."""

    print_paper: PaperName = "A4"
    print_bleed_mm: Annotated[float, Field(ge=0, le=5)] = 0.0
    print_orientation: Orientation = "auto"
    print_backs: Backs = "printed"
    print_numbers: bool = False
    print_font: FontName = "Nunito"
    print_layouts: Annotated[Layouts, NoDecode] = Field(default={})

    @field_validator("print_paper")
    @classmethod
    def _has_a_size(cls, paper: PaperName) -> PaperName:
        if paper == "custom":
            raise ValueError("must be A5, A4, A3 or Letter; custom paper needs a size, given per request")
        return paper

    @field_validator("print_layouts", mode="before")
    @classmethod
    def _from_json(cls, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        try:
            return _LAYOUTS.validate_python(json.loads(value)) if value.strip() else {}
        except (ValueError, ValidationError):
            raise ValueError(
                'must be a JSON object of layouts (auto, one, two, four), such as {"Dvě na stránku": "two"}'
            ) from None

    @property
    def book_options(self) -> BookOptions:
        """The default options of a book."""
        return BookOptions(
            paper=self.print_paper,
            bleed_mm=self.print_bleed_mm,
            orientation=self.print_orientation,
            backs=self.print_backs,
            has_numbers=self.print_numbers,
            font=self.print_font,
        )


def known_layout(word: str | None, layouts: Layouts) -> Layout | None:
    """The layout for the shop's ``word``: ``auto`` if there is none, ``None`` if it is unknown."""
    cleaned = (word or "").strip().casefold()
    if not cleaned:
        return "auto"
    known: Layouts = {"auto": "auto", "one": "one", "two": "two", "four": "four", **layouts}
    return {name.strip().casefold(): layout for name, layout in known.items()}.get(cleaned)
