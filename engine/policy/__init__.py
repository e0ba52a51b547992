"""Who would have been paged: history through the stages of delivery, with a clock and a state of its own."""
