#!/usr/bin/env python3
"""Makes traditional.txt, the table of traditional characters and their simplified forms that fold.rs reads.

Source: TSCharacters.txt of OpenCC (https://github.com/BYVoid/OpenCC, Apache-2.0), as packed in the PyPI package
opencc-python-reimplemented 0.1.7 (Apache-2.0):

    pip download --no-deps opencc-python-reimplemented==0.1.7 && unzip -o opencc_python_reimplemented-*.whl
    python3 generate.py opencc/dictionary/TSCharacters.txt > traditional.txt

The table decides identities (tags, headlines, query words): regenerating it is a change of rules, not an update.
"""
import sys

# Where one traditional character stands for two words, the forms are merged, so that a copy in either script folds
# alike whichever word was meant. The right-hand side is what the mainland press writes in the commoner word.
MERGED = {"著": "着", "覆": "复", "瞭": "了", "藉": "借", "馀": "余", "锺": "钟", "麽": "么", "甯": "宁"}


def main() -> None:
    table: dict[str, str] = {}
    for line in open(sys.argv[1], encoding="utf-8"):
        if "\t" not in line:
            continue
        old, new = line.rstrip("\n").split("\t")
        new = new.split(" ")[0]
        if old != new and len(old) == 1 and len(new) == 1 and ord(old) < 0x10000 and ord(new) < 0x10000:
            table[old] = new
    table.update(MERGED)
    for old in table:
        while table[old] in table:
            table[old] = table[table[old]]
    print("# Traditional characters and the simplified form they fold to, in order of code point, pairs joined.")
    print("# Made by generate.py beside this file from OpenCC's TSCharacters.txt (https://github.com/BYVoid/OpenCC),")
    print("# Copyright its contributors, Apache License 2.0. Do not edit: a changed pair changes identities.")
    pairs = [old + new for old, new in sorted(table.items()) if old != new]
    for start in range(0, len(pairs), 25):
        print(" ".join(pairs[start : start + 25]))


if __name__ == "__main__":
    main()
