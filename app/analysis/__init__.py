"""A picture, a lineup of networks and a question become an answer; analyses are kept here."""
