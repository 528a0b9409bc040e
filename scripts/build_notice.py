"""Write NOTICE: what Stowatt ships or runs on, each with the licences that stand in its own licence files.

The licence files of the installed packages are read, not their metadata, which often says less. A package without a
licence file, with a text that no pattern knows, or with a licence that binds its users' own work stops the script:
somebody has to look at it.

Usage: build_notice.py   (in the environment of `make setup`)
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NOTICE = ROOT / "NOTICE"
RUNTIME_LOCKS = ("extras", "data")

PATTERNS: tuple[tuple[str, str], ...] = (
    ("Apache-2.0", r"apache license,? version 2\.0|apache software license 2\.0"),
    (
        "MIT",
        r"permission is hereby granted, free of charge, to any person obtaining a copy of this software.*sublicense",
    ),
    ("BSD-3-Clause", r"redistribution and use in source and binary forms.*endorse or promote products"),
    ("BSD-2-Clause", r"redistribution and use in source and binary forms(?!.*endorse or promote products)"),
    ("PSF-2.0", r"license agreement is between.*nonexclusive, royalty-free.*prepare derivative works"),
    ("MPL-2.0", r"mozilla public license,? (v\. ?|version )2\.0"),
    ("ISC", r"permission to use, copy, modify, and(/or)? distribute this software for any purpose with or without fee"),
    ("MIT-CMU", r"permission to use, copy, modify and distribute this software and its documentation for any purpose"),
    ("Unicode-3.0", r"unicode license v3"),
    ("public domain", r"released into the public domain"),
    ("ODbL-1.0 (the data)", r"open database license"),
    ("EPL-2.0 or EDL-1.0 (a BSD-3-Clause licence), of which Stowatt takes EDL", r"dual licensed under the eclipse"),
    ("GPL-3.0 with the GCC runtime exception (bundled libgfortran)", r"gcc runtime library exception"),
)
"""Licence and a pattern of its text, with blanks collapsed and in lower case."""

REFUSED = re.compile(
    r"gnu affero general public license version 3, 19|commons clause|business source license|server side public license"
)
"""Terms that a user of an Apache-licensed program does not expect below it."""

LICENCE_FILE = re.compile(r"(?i)^(unicode-)?(licen[cs]e|copying|unlicense)")

OPENZEPPELIN = """\
The contracts in contracts/src and their compiled form in src/stowatt/chain/artefacts include parts of
OpenZeppelin Contracts, under the MIT License:

    Copyright (c) 2016-2026 Zeppelin Group Ltd

    Permission is hereby granted, free of charge, to any person obtaining a copy of this software and associated
    documentation files (the "Software"), to deal in the Software without restriction, including without limitation
    the rights to use, copy, modify, merge, publish, distribute, sublicense, and/or sell copies of the Software, and
    to permit persons to whom the Software is furnished to do so, subject to the following conditions:

    The above copyright notice and this permission notice shall be included in all copies or substantial portions of
    the Software.

    THE SOFTWARE IS PROVIDED "AS IS", WITHOUT WARRANTY OF ANY KIND, EXPRESS OR IMPLIED, INCLUDING BUT NOT LIMITED TO
    THE WARRANTIES OF MERCHANTABILITY, FITNESS FOR A PARTICULAR PURPOSE AND NONINFRINGEMENT. IN NO EVENT SHALL THE
    AUTHORS OR COPYRIGHT HOLDERS BE LIABLE FOR ANY CLAIM, DAMAGES OR OTHER LIABILITY, WHETHER IN AN ACTION OF
    CONTRACT, TORT OR OTHERWISE, ARISING FROM, OUT OF OR IN CONNECTION WITH THE SOFTWARE OR THE USE OR OTHER DEALINGS
    IN THE SOFTWARE.
"""

HEAD = """\
Stowatt
Copyright 2026 the Stowatt maintainers

Licensed under the Apache License, Version 2.0; see LICENSE.

"""

SIMBENCH = """\
The demo reads the grids and profiles of SimBench (University of Kassel, Fraunhofer IEE, RWTH Aachen University, TU
Dortmund), a database under the Open Database License 1.0, its contents under the Database Contents License 1.0. They
come with the simbench package, which is installed and not shipped; reports made from them name the source.
"""


def locked_names() -> list[str]:
    """The packages of the runtime's lock files, sorted."""
    names: set[str] = set()
    for lock in RUNTIME_LOCKS:
        text = (ROOT / "requirements" / f"{lock}.lock").read_text()
        names |= set(re.findall(r"^([A-Za-z0-9][\w.-]*)==", text, re.MULTILINE))
    return sorted(names)


def licence_texts(name: str) -> Iterator[str]:
    """The text of each licence file of an installed package, with blanks collapsed and in lower case."""
    for file in metadata.distribution(name).files or ():
        inside = ".dist-info" in file.parts[0]
        if inside and LICENCE_FILE.match(file.name):
            yield re.sub(r"\s+", " ", Path(str(file.locate())).read_text(errors="replace")).lower()


def licences(name: str) -> list[str]:
    """The licences found in a package's licence files, in the order of their texts."""
    found: list[str] = []
    for text in licence_texts(name):
        if REFUSED.search(text):
            raise SystemExit(f"{name}: its licence file has terms that Stowatt must not pass on; do without it")
        matches = {licence: match.start() for licence, pattern in PATTERNS if (match := re.search(pattern, text))}
        found += [licence for licence in sorted(matches, key=matches.__getitem__) if licence not in found]
    if not found:
        raise SystemExit(f"{name}: no licence file, or none with a known text; read it and extend PATTERNS")
    return found


def rows() -> Iterator[str]:
    """One line for each package that is installed here."""
    for name in locked_names():
        try:
            found = licences(name)
        except metadata.PackageNotFoundError:
            continue  # for other platforms only
        yield textwrap.fill(f"- {name}: {', '.join(found)}", 118, subsequent_indent="  ")


def main() -> None:
    """Write the file."""
    listed = "\n".join(rows())
    NOTICE.write_text(
        f"{HEAD}{OPENZEPPELIN}\n{SIMBENCH}\n"
        "Stowatt runs on these packages, which are installed and not shipped; the licences are those in their licence\n"
        f"files, including those of code that they bundle:\n\n{listed}\n"
    )
    print(f"NOTICE names {listed.count(chr(10)) + 1} packages")


if __name__ == "__main__":
    main()
