"""The buyer's name and address, from a file that stays on this machine."""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, Field

from registry.brandfile import read_yaml
from registry.errors import TouchstoneError
from registry.settings import Settings


class Persona(BaseModel):
    """Who buys. Never the brand's own account or address."""

    model_config = ConfigDict(extra="forbid", frozen=True, str_strip_whitespace=True)
    name: str = Field(min_length=3, max_length=100, pattern=r"\S\s+\S")
    email: str = Field(pattern=r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
    line1: str = Field(min_length=1)
    city: str = Field(min_length=1)
    postcode: str = Field(min_length=1)
    country: str = Field(pattern=r"^[A-Z]{2}$", description="ISO 3166-1 alpha-2")
    phone: str = ""

    def fields(self) -> dict[str, str]:
        """The fields that a checkout recipe can name."""
        first, _, last = self.name.rpartition(" ")
        return {**self.model_dump(), "first_name": first, "last_name": last}


EXAMPLE = Persona(
    name="Test Buyer",
    email="buyer@example.com",
    line1="1 Example Street",
    city="London",
    postcode="EC1A 1BB",
    country="GB",
)


def persona_file(settings: Settings) -> Path:
    """Where the persona is kept."""
    return settings.data_dir / "persona.yaml"


def load_persona(settings: Settings) -> Persona:
    """Read the persona.

    Raises
    ------
    TouchstoneError
        If there is none, or a field of it does not fit.
    """
    path = persona_file(settings)
    if not path.is_file():
        raise TouchstoneError(f"{path}: there is no buyer yet: 'touchstone init' writes an example")
    persona: Persona = read_yaml(path, Persona, "buyer's persona")
    return persona


def write_example(path: Path) -> None:
    """Write an example to start from, readable by its owner only."""
    path.touch(mode=0o600)
    path.write_text(yaml.safe_dump(EXAMPLE.model_dump(), sort_keys=False), encoding="utf-8")
