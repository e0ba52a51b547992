"""Every step of a long history, incrementally."""
