"""Benchmark figures, and how they are printed and drawn."""
