"""The configuration of runs: presets, YAML files, overrides, checked against the schema."""
