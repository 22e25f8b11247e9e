"""Pictures: decoding, hashes, local features, one index over all references.

Bytes and pixels in, matches out. What touches a database, a network or a store of pictures
does not enter; files are written and read only where an index is saved and opened.
"""

from matchers.pictures.decode import Decoded, PictureError, decode, media_type
from matchers.pictures.index import Found, Reference, ReferenceIndex
from matchers.pictures.outline import draw
from matchers.pictures.traits import VERSION as TRAITS_VERSION
from matchers.pictures.traits import Traits, traits
from matchers.pictures.verdict import VERSION as _VERDICT_VERSION
from matchers.pictures.whole import fingerprint, hash_file, whole_hash

#: Of everything that decides a match: how traits are made, and the limits.
VERSION = f"{TRAITS_VERSION}.{_VERDICT_VERSION}"

__all__ = [
    "TRAITS_VERSION",
    "VERSION",
    "Decoded",
    "Found",
    "PictureError",
    "Reference",
    "ReferenceIndex",
    "Traits",
    "decode",
    "draw",
    "fingerprint",
    "hash_file",
    "media_type",
    "traits",
    "whole_hash",
]
