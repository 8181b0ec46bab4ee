"""The CBAM Lens program: server, page and command line."""
