"""Recipes: data, losses, training and export of the music weights."""
