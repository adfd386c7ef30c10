"""Auralume: the entry of the Space. Starts the studio as the command `auralume` does."""

from studio.commands.entry import start

if __name__ == "__main__":
    start()
