"""The way to the studies: where they are kept, and their database when somebody asks for one."""
