"""The embedded ledger beside other chains that run on one machine: the same signed transactions for all of them."""
