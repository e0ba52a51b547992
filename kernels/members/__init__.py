"""Members of sets that siblings read, as texts of Python lists."""
