"""`python -m stowatt` is the same as the command `stowatt`."""

from stowatt.cli.app import main

if __name__ == "__main__":
    main()
