"""Files to articles, sentences and passages."""
