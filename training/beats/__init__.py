"""Recipes: data, losses, training and export of the beats weights."""
