"""The fused kernel of GPUs."""
