"""The memory file: what a run keeps of every metric for the next one."""
