"""What a memory keeps of the airgaps of a series, so that they are known by its new points alone."""
