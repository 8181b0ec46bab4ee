"""`cbam-lens bench`: the program's speed beside two bare forward passes, and beside grad-cam and torchcam.

The contestants (`forward`, `analysis`, `peers`) take turns in this process (`rounds`). A second process runs the real
server (`server`), a third one sends requests to it (`load`, `service`), and its start is timed (`startup`). `figures`
lists the reported figures and their targets; `report`, `table` and `plot` show them; `run` runs all parts.
"""
