"""Media: every file that ffmpeg or Pillow reads or writes passes through here."""
