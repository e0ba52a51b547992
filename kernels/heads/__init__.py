"""The beginnings of stored series, for rows whose window may not be whole."""
