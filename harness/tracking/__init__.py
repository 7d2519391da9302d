"""What is kept of every night: the ledger, and what is made from it. Starts no machine."""
