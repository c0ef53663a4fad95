"""How the shipped reader, evidence ranker and confidence are made."""
