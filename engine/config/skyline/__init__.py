"""Brings a Skyline settings file over: read without executing it, translated, written as TOML."""
