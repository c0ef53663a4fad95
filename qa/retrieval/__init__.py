"""A question to passages, and to the sentences that may answer it."""
