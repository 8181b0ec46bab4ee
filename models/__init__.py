"""The networks, their attention and the lineups that the program compares."""
