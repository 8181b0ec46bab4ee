"""One step a module, each named after what it changes."""
