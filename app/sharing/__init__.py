"""Lineups for others: their files, and sending them to the Hugging Face Hub."""
