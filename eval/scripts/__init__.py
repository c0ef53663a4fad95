"""Measurements run by hand: `python -m eval.scripts.NAME`."""
