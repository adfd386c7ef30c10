"""Recipes: data, losses, training and export of the style picture weights."""
