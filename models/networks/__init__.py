"""The networks: traced without hooks, with attention as a constructor argument."""
