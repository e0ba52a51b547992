"""What a score that is thresholded would have come to: pages, alarms, windows found, NAB's points."""
