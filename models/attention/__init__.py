"""Attention modules, one for each paper."""
