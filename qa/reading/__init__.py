"""Passages to verbatim answers: the shipped pointer network, what is chosen of it, and what is cited."""
