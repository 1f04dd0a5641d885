"""The study of learning within a lifetime."""
