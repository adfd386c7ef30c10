"""Speech: text front end, Tacotron 2, vocoders, the synthesiser that joins them, and the recipe of their weights."""
