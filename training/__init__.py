"""How each shipped weight file is made; the running studio loads nothing from here."""
