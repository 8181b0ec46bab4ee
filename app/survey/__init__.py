"""Many pictures, a row each: whatever is wrong with one picture, and wherever the run is stopped.

`sources` says which pictures, `rows` what is written of one, `store` keeps the rows, `run` goes through the pictures.
"""
