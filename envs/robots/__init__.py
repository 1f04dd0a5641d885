"""Quadrupeds in MuJoCo: the ant, the dog, and what they share. Their configs are read without MuJoCo."""
