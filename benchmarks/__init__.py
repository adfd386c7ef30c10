"""Benchmarks that anyone can run: `python -m benchmarks.speech --json` and its siblings."""
