"""Music and pictures without end, made while a person listens and turns knobs."""
