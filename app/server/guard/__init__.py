"""Checks of a request's host, origin, rate and token, before its body is read.

The order from outside to inside is `hosts`, `origins`, `rates`, `tokens`; `headers` adds the security headers.
"""
