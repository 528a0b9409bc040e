"""The command line. Each command is a module; `app` lists them."""
