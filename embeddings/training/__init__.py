"""How the shipped embeddings are made."""
