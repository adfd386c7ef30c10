"""Files in and out: recipes inside results, sound, video, temporary folders, ffmpeg."""
