"""One warm process that does on their periods what cron would start anew each time."""
