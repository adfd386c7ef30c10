"""One box beside the tabs: a sentence becomes a spoken introduction, a song, and a music video of both."""
