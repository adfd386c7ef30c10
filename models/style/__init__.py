"""Style transfer: the timbre and texture of one sound given to another, the look of a picture given to a clip."""
