"""A run's figures, for a program, a terminal and a page."""
