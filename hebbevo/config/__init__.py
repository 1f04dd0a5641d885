"""What a user writes: presets, YAML files, overrides, checked against the schema."""
