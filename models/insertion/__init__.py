"""Attention for networks that were written elsewhere."""

from models.insertion.insert import adopt_network, insert_cbam

__all__ = ["adopt_network", "insert_cbam"]
