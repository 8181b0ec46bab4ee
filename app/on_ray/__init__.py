"""The same program on a Ray cluster, an extra (`uv sync --extra ray`).

Serving: Ray Serve's proxy (`proxy`) passes a request to a replica of the application (`ingress`). The replica's engine
(`remote_engine`) sends its work, packed by `wire`, to a replica with the networks (`replica`). One actor
(`store_actor`) keeps analyses and sheets, and every replica reads them there (`stores`). `serving` starts and ends all
of it, `settings` sets its size. `survey` compares many pictures with Ray Data.

Nothing outside this package imports Ray. Commands import the package only for `--on ray`, after `environment` has set
Ray's environment variables.
"""
