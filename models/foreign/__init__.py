"""Networks of the user's own, of any code: watched while they run, without changing them."""
