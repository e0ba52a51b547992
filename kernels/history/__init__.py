"""What the window of every point of a history says of it before it is judged."""
