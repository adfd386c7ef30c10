"""Recipes of the video weights: data, losses, training and export."""
