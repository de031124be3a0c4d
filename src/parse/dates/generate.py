#!/usr/bin/env python3
"""Makes the names of dates in some sixty languages, all together and in lower case: months.txt and weekdays.txt (a line a
month, a line a weekday from Monday on) and spans.txt (how a span of time is counted back: the letter of the unit, what stands
before the number, what stands behind it, divided by tabs).

Source: the Unicode Common Locale Data Repository (https://cldr.unicode.org, Unicode-3.0), as packed in the PyPI package
Babel 2.18 (BSD-3-Clause):

    pip install babel==2.18.0 && python3 generate.py

Names that mean different things in different languages keep the meaning of the language that stands first.
"""
import unicodedata
from pathlib import Path

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


# Names of weekdays that were seen in feeds and are not in CLDR.
MORE_DAYS = {"tues": 2, "thurs": 4, "thur": 4, "周一": 1, "周二": 2, "周三": 3, "周四": 4, "周五": 5, "周六": 6, "周日": 7, "周天": 7}
for _day, _numeral in enumerate("一二三四五六日天", 1):
    MORE_DAYS |= {word + _numeral: min(_day, 7) for word in ("星期", "週", "礼拜", "禮拜")}


# Ways to count back that were seen on sites and are not in CLDR.
MORE_SPANS = {
    ("πριν", "λεπτό"): "m", ("πριν", "λεπτά"): "m", ("πριν", "ώρα"): "h", ("πριν", "ώρες"): "h", ("πριν", "μέρες"): "D",
    ("πριν", "ημέρες"): "D", ("منذ", "دقيقة"): "m", ("منذ", "دقائق"): "m", ("منذ", "ساعة"): "h", ("منذ", "ساعات"): "h",
    ("منذ", "يوم"): "D", ("منذ", "أيام"): "D", ("", "นาทีที่แล้ว"): "m", ("", "ชั่วโมงที่แล้ว"): "h", ("", "วันที่แล้ว"): "D",
    ("", "minuter sedan"): "m", ("", "timmar sedan"): "h", ("", "dagar sedan"): "D", ("", "timer siden"): "h",
    ("", "dager siden"): "D", ("", "dage siden"): "D",
}


def folded(name: str) -> str:
    name = unicodedata.normalize("NFC", name.lower()).replace("\u2019", "'").replace(".", "")
    name = "".join(" " if unicodedata.category(c) == "Zs" else c for c in name if unicodedata.category(c) != "Cf")
    return " ".join(name.split())


def months() -> str:
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
    return lines(found, 12)


def lines(found: dict[str, int], count: int) -> str:
    return "".join(" ".join(sorted(k for k, v in found.items() if v == i)) + "\n" for i in range(1, count + 1))


def weekdays() -> str:
    found: dict[str, int] = {}
    for language in LANGUAGES:
        days = Locale.parse(language).days
        for context in ("format", "stand-alone"):
            for width in ("wide", "abbreviated", "short"):
                for day, name in days[context][width].items():
                    # segunda-feira
                    name = folded(name).split("-")[0]
                    if len(name) >= 2 and all(unicodedata.category(c)[0] in "LM" for c in name):
                        found.setdefault(name, day + 1)
    for name, day in MORE_DAYS.items():
        found.setdefault(name, day)
    for name, day in list(found.items()):
        bare = plain(name)
        if bare.isascii() or "α" <= bare[0] <= "ω":
            found.setdefault(bare, day)
    return lines(found, 7)


def spans() -> str:
    found: dict[tuple[str, str], str] = {}
    units = {"second": "s", "minute": "m", "hour": "h", "day": "D", "week": "W", "month": "M", "year": "Y"}
    for language in LANGUAGES + ["vi"]:
        fields = Locale.parse(language)._data["date_fields"]
        for unit, letter in units.items():
            for style in ("", "-short", "-narrow"):
                for pattern in fields.get(unit + style, {}).get("past", {}).values():
                    before, number, behind = folded(pattern).partition("{0}")
                    # A minus alone tells nothing.
                    if number and before.strip() not in ("-", "−"):
                        found.setdefault((before.strip(), behind.strip()), letter)
    for (before, behind), letter in MORE_SPANS.items():
        found.setdefault((before, behind), letter)
    return "".join(f"{letter}\t{before}\t{behind}\n" for (before, behind), letter in sorted(found.items()))


for name, made in (("months", months), ("weekdays", weekdays), ("spans", spans)):
    Path(__file__).with_name(f"{name}.txt").write_text(made(), encoding="utf-8")
