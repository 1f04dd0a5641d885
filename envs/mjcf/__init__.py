"""A robot that is a file: MJCF of a user's own, in configs and genomes, parsed from memory only."""
