"""Past one machine: the same program on Ray, as an extra (`uv sync --extra ray`).

Serving: a request comes to Ray Serve's proxy (`proxy`), goes to one of the replicas of the whole application
(`ingress`), whose engine (`remote_engine`) sends its work on (`wire`) to one of the replicas that have the networks
(`replica`). One actor (`store_actor`) keeps analyses and sheets, so that any replica can be asked for them (`stores`).
`serving` starts and ends all of it, `settings` sets its size. Many pictures: `survey`, by Ray Data.

Nothing outside of this package imports Ray, and the commands import what does only where `--on ray` is asked for, after
`environment` has set what Ray reads then.
"""
