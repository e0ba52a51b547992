"""Every step of a history, as `score` would have judged it at that moment."""
