"""The statistics of a study's votes. People and pictures are the units, not votes."""
