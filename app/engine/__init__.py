"""The engine: a bounded queue for the device, and one worker that computes in batches."""
