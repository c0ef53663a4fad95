"""The chat window, and the same answers over HTTP."""
