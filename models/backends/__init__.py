"""Adapters that give models of the Hub (transformers, diffusers) the contracts of the studio's own generators."""
