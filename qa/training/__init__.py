"""How the shipped reader and its confidence are made."""
