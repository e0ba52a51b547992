"""The TOML file: frozen dataclasses, validated as a whole."""
