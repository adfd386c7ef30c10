"""Whole books: read from files, cut into passages, spoken sentence by sentence to disk."""
