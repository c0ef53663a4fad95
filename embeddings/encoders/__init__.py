"""Texts to unit vectors: the shipped models, any sentence-transformers model, one machine or many."""
