"""The rule `ridgeline`, over whole histories."""
