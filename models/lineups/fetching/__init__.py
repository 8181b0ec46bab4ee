"""Published files of weights: fetched by the operator's word alone, checked by hash, kept in a cache directory."""
