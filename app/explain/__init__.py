"""From picture to maps: input geometry, class activation maps, attention maps and their numbers."""
