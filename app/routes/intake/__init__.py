"""What a request may bring: bodies, the names of options, and the names of files."""
