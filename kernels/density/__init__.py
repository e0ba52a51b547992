"""How dense series are: their usual step, and how much of a window they fill."""
