"""A book cleared from a Parquet file in bounded memory, beside a plain Arrow scan of the same file."""
