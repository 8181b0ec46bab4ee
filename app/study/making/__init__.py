"""The making of a study: pictures and networks become questions with images. This needs the networks."""
