#!/usr/bin/env python3
"""Makes words.txt, the common words by which the placer sees whether a name is cut out of other words.

    pip download --no-deps --no-binary :all: jieba==0.42.1 && tar xzf jieba-0.42.1.tar.gz
    python3 generate.py jieba-0.42.1/jieba/dict.txt ../gazetteer/china.tsv > words.txt

Source: dict.txt of jieba 0.42.1 (https://github.com/fxsjy/jieba, MIT). Kept: words of two to four characters and single
characters that are common enough, and rarer words that have a name of the gazetteer inside. Words are grouped by cost,
which is twice the binary logarithm of (all occurrences / occurrences of the word), rounded.
"""
import math
import re
import sys
from collections import defaultdict

COMMON, HOLDING, SINGLE = 100, 15, 1000


def main() -> None:
    count: dict[str, int] = {}
    for line in open(sys.argv[1], encoding="utf-8"):
        word, number, _ = line.split(" ")
        if re.fullmatch("[\u4e00-\u9fff]{1,4}", word):
            count[word] = int(number)
    names: set[str] = set()
    for line in open(sys.argv[2], encoding="utf-8"):
        if not line.startswith("#"):
            fields = line.rstrip("\n").split("\t")
            names.update(fields[2:3], filter(None, fields[3:4]))
    total = sum(count.values())

    def kept(word: str) -> bool:
        if len(word) == 1:
            return count[word] >= SINGLE
        if word in names:
            return True
        inside = any(word[a:b] in names for a in range(1, len(word)) for b in range(a + 2, len(word) + 1))
        return count[word] >= (HOLDING if inside else COMMON)

    groups: defaultdict[int, list[str]] = defaultdict(list)
    for word in filter(kept, count):
        groups[round(2 * math.log2(total / max(count[word], 1)))].append(word)
    print("# Common words by cost, one cost a line. Made by generate.py beside this file; do not edit.")
    print("# Source: dict.txt of jieba 0.42.1, https://github.com/fxsjy/jieba, Copyright (c) 2013 Sun Junyi, MIT licence.")
    for cost in sorted(groups):
        print(cost, " ".join(sorted(groups[cost])))


if __name__ == "__main__":
    main()
