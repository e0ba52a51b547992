"""What is done to series between cleaning and scoring, alike in `score`, `run`, replay and `explain`."""
