"""The road from each schema of the state file to the next."""
