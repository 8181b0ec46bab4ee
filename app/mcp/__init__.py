"""The tools of `cbam-lens mcp`, by the Model Context Protocol: answers about picture files of this machine."""
