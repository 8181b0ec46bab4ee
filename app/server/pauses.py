"""Pauses in which nobody is answered, because Python looks for unused objects that refer to each other."""

import gc


def shorten_pauses() -> None:
    """Leave the objects of the loaded program out of the search.

    torch and the networks have some 400,000 of them, and they live as long as the process. Each full search went
    through all of them: a third of a second in which every thread waits, a dozen times in a minute of votes.

    For a process of our own, once everything is loaded: what a program of somebody else's has made until then would
    never be looked at again.
    """
    gc.collect()
    gc.freeze()
