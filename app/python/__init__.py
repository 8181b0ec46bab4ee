"""What `import cbam_lens` offers: lineups and comparisons as objects, which draw themselves in a notebook."""
