"""A picture, a pair of networks and a question become an answer; analyses are kept here."""
