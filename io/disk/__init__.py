"""Files that are whole or absent, and locks that die with their holder."""
