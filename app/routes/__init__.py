"""The routes: they parse, call and answer, and nothing else."""
