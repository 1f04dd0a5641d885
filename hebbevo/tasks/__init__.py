"""Tasks: environment, network and rule together; and the workers that run their lifetimes."""
