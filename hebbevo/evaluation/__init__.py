"""Fresh lifetimes of genomes: fitness, controls, statistics."""
