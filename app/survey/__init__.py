"""Comparisons of many pictures, with one row per picture; a run survives bad pictures and can be stopped anywhere.

`sources` lists the pictures, `rows` builds a row, `store` keeps the rows, and `run` compares the pictures.
"""
