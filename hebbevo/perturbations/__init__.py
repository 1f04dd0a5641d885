"""What can happen to a lifetime."""
