"""The custody of exhibits: the ledger and its tree, keeping, handling, cases, retention."""
