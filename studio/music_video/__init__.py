"""The Music Video tab."""
