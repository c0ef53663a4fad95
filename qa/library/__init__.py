"""A collection of articles on disk: its truth, the indexes derived from it, their verification."""
