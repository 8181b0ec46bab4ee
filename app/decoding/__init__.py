"""Decoding of strangers' pictures in processes of their own, which can be killed. Nothing here imports torch.

Each picture is decoded by a process that is forked for it from a small host and ends with it: `host` is the one that
forks, `child` the forked one, `processes` the server's side of both, and `threads` where the server waits for them.

Pools of the standard library and of others were compared. `concurrent.futures` and `multiprocessing.Pool` cannot kill
one worker; pebble and anyio's worker processes can, but a new worker imports the server's main module and all decoders
again, 1 to 2 s of a core each time that a client leaves, and they unpickle what a worker sends, which has read the
stranger's bytes. A forked process costs milliseconds, shares the decoders' memory with its host, and is answered to in
JSON and raw pixels.
"""
