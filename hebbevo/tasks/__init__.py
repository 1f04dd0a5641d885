"""Environment, network and rule together: what a genome means."""
