"""The plain server's connections: what one client may hold, how long, and how its connection ends.

uvicorn's own protocol limits none of this. `protocol` adds it, with `parser` for what comes in, `transport` for what
goes out, and `places` for the connections of all clients together.
"""
