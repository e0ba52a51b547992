"""What a run keeps of every metric for the next one, and how the next one judges by it."""
