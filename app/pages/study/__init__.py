"""The pages of a blind study: for its voters, without the networks' names, and for its holder."""
