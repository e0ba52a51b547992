"""Whether a configuration would run well on this machine: looked at before a run, not after it."""
