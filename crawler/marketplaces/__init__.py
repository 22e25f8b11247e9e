"""What is known of each kind of marketplace: addresses, page objects, checkout recipe."""

from collections.abc import Mapping
from types import MappingProxyType

from crawler.marketplaces import bazaar, oscar
from crawler.marketplaces.definition import Definition

KINDS: Mapping[str, Definition] = MappingProxyType(
    {definition.kind: definition for definition in (bazaar.DEFINITION, oscar.DEFINITION)}
)

__all__ = ["KINDS", "Definition"]
