"""Beats and downbeats: network, decoding, detector."""
