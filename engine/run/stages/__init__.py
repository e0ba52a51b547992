"""The stages of a run, each a function of the turn; `ridgeline.engine.run.once` lists them in order."""
