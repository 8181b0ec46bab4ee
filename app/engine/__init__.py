"""The owner of the device: a bounded queue, and one worker that computes in batches."""
