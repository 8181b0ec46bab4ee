"""`cbam-lens train --lineup none,se,cbam --seeds 3`: does attention help on one's own pictures?

Every network is trained with every seed by one recipe on the same pictures, and measured on the same held-out ones.
"""

from app.trial.run import TrialOptions, run_trial

__all__ = ["TrialOptions", "run_trial"]
