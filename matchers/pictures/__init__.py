"""Pictures: decoding, hashes, regions, local features, one index over all references."""
