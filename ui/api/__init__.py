"""The answers and the articles over HTTP."""
