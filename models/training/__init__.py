"""Training: any network of the zoo, or a pair, from folders of pictures."""
