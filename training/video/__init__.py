"""Recipes: data, losses, training and export of the video weights."""
