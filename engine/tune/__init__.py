"""Chooses settings by stored scores, on one half of a history, and says what they come to on the other."""
