"""Reading and preparing input: book files, profiles, communities."""
