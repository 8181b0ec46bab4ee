"""`cbam-lens bench`: what the program costs beside the two bare forward passes, and beside grad-cam and torchcam.

In process, contestants (`forward`, `analysis`, `peers`) take turns in rounds (`rounds`). Beside it runs the real server
as a process of its own (`server`), asked by another one (`load`, `service`), and its start is timed (`startup`).
`figures` says what is reported and against which target, `report`, `table` and `plot` show it, `run` puts the parts
together.
"""
