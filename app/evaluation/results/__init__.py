"""Evaluation results, and how they are summarised, printed and drawn."""
