"""Clients that mean harm: what each of their attacks once did, and the tests that show what it does now.

| attack | once | tests |
|---|---|---|
| large pictures whose clients hang up | a decode for each, 9.6 GB | `test_decoding` |
| JSON with a million rows | the event loop stood for 21 s | `test_bodies` |
| a JPEG with thousands of scans | a core busy for ever | `test_decoding` |
| idle connections beyond the descriptors | a deaf server, 72 MB of log | `test_connections` |
| bodies in chunks of one byte | others waited for 20 s | `test_connections` |
| answers that nobody reads | 0.9 GB held | `test_connections` |
| pictures at the pixel limit | 1.4 GB each | `test_uploads`, `tests/decoding`, `tests/models/pictures` |
| all IPv4 clients on an IPv6 socket | one rate for all of them | `test_guard.py` |
| a foreign cookie | signed people out | `test_guard.py` |
| DNS rebinding against the container | answered | `test_guard.py`, `test_container.py` |
| Ray's own ports | open without a word | `tests/on_ray` |
| caches between server and browser | kept answers | `test_guard.py`, `test_own_files.py` |
| silent cameras | all places held | `test_camera.py` |
| answers kept beside an analysis | not counted | `test_analysis_store.py` |
| a refused body of a client that does not listen | a reset for an answer | `test_connections` |
| no temporary directory; half-closed sockets | a traceback; no answer | `test_cli.py`, `test_connections` |

`tests/load/attack.py` runs the first six against a running server, beside a load.
"""
