"""Studies: what the rules do when somebody plays against them, measured on many seeded markets. No chain is needed.

- `manipulation`: the best gain from misreporting and from withholding an opening, against market size (§7).
- `reliability`: what dynamic α does to the losses from under-delivery (§6).
- `wear`: the same evenings with flat asks and with asks that know the battery's wear (28).

Markets and money are integers as in the rules; means, quantiles and bands are floating point.
"""
