"""The public Python API behind `import ridgeline`: what the commands do, one call each."""
