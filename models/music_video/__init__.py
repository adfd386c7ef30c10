"""Music heard and made visible: beats, sections, and the videos that follow them."""
