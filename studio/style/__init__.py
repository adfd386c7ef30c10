"""The Style Transfer tab."""
