"""What is measured, runnable by anyone: `python -m benchmarks.speech --json` and its siblings."""
