"""What the server answers: routes parse, call and answer, and nothing else."""
