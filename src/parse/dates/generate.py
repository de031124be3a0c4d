#!/usr/bin/env python3
"""Makes months.txt, the names of months that words.rs reads: a line a month, all languages together, in lower case.

Source: the Unicode Common Locale Data Repository (https://cldr.unicode.org, Unicode-3.0), as packed in the PyPI package
Babel 2.18 (BSD-3-Clause):

    pip install babel==2.18.0 && python3 generate.py > months.txt

Names that mean different months in different languages keep the meaning of the language that stands first.
"""
import unicodedata

from babel import Locale

# By how many news sites of the languages were seen; Chinese, Japanese, Korean and Vietnamese number their months.
LANGUAGES = """en de fr es pt it ru nl pl cs uk el hu tr sv da nb fi ro bg sr hr sk sl et lv lt id ms ca eu sq is ga cy af sw
az kk mk be hy he ar fa hi bn th uz tl gl lb""".split()

# Spellings that were seen in feeds and are not in CLDR.
MORE = {
    "sept": 9, "janv": 1, "févr": 2, "juil": 7, "déc": 12, "mrz": 3, "maerz": 3, "jän": 1, "jänner": 1, "feber": 2, "ene": 1,
    "set": 9, "out": 10, "dez": 12, "мая": 5, "сент": 9, "нояб": 11, "февр": 2,
    "μαώ": 3, "μάώ": 3, "μαρ": 3, "μαϊ": 5, "μαι": 5, "μάι": 5, "ιούν": 6, "ιον": 6, "ιούλ": 7, "ιολ": 7, "αύγ": 8, "νοέ": 11,
    "februári": 2, "szept": 9, "márc": 3, "ápr": 4, "máj": 5, "jún": 6, "júl": 7,
}


def plain(name: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFD", name) if not unicodedata.combining(c))


def main() -> None:
    found: dict[str, int] = {}
    for language in LANGUAGES:
        months = Locale.parse(language).months
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated"):
                for month, name in months[context][width].items():
                    name = unicodedata.normalize("NFC", name.lower()).replace(".", "").strip()
                    if len(name) >= 2 and all(unicodedata.category(c)[0] in "LM" for c in name):
                        found.setdefault(name, month)
    # Programs that know no better cut names after three letters.
    for language in LANGUAGES[:12]:
        names = [name.lower() for name in Locale.parse(language).months["format"]["wide"].values()]
        for month, name in enumerate(names, 1):
            if sum(other.startswith(name[:3]) for other in names) == 1:
                found.setdefault(name[:3], month)
    for name, month in MORE.items():
        found.setdefault(unicodedata.normalize("NFC", name), month)
    # Accents are often left out; in the Latin and Greek scripts only, where what is left is still the name.
    for name, month in list(found.items()):
        bare = plain(name)
        if bare.isascii() or "α" <= bare[0] <= "ω":
            found.setdefault(bare, month)
    for month in range(1, 13):
        print(" ".join(sorted(name for name, known in found.items() if known == month)))


main()
