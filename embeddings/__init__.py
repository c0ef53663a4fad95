"""Texts and vectors: encoders, nearest vectors, BM25; nothing here knows an article."""
