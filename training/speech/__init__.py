"""Recipes: data, losses, training and export of the speech weights."""
