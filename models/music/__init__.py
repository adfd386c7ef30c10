"""Music: MIDI as tokens, the Music Transformer, and sampling under a grammar."""
