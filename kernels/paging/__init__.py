"""New points of a fleet through the walks, into what a memory keeps of them: what the rule `pages` goes by in runs."""
