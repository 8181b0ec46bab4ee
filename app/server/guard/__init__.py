"""Who may ask, from where and how often: decided before a request's body is read.

From outside to inside: `hosts`, `origins`, `rates`, `tokens`; `headers` tells browsers what an answer may do.
"""
