"""The study of perturbations and recovery."""
