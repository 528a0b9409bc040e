"""JSON-RPC over the embedded ledger."""
