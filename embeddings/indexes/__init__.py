"""Nearest vectors and BM25: what every index does, and the ones on FAISS, tantivy and Milvus."""
