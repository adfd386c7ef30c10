"""Recipes of the picture style weights: data, losses, training and export."""
