"""A comparison as HTML that needs nothing but itself: in a notebook's output, or as a page."""
