"""Registered Gymnasium ids."""
