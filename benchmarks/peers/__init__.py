"""Peers that need an environment of their own: other people's libraries, which Stowatt does not run on.

    requirements/peers.in        what the environment holds
    STOWATT_PEERS=PYTHON|DIR     its interpreter or folder; otherwise .venvs/peers, if it is there

`solvers` has a function for each of them, `runner` is what the environment's interpreter runs (one engine on one file
of books, the answer as JSON), and `caller` is this side of it. Nothing but numpy and the peer is imported there.
"""
