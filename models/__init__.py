"""The networks, their attention and the pairs that the program compares."""
