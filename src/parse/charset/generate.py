#!/usr/bin/env python3
"""Makes pages.txt, the code pages that charset/pages.rs reads: those that encoding_rs has not, because browsers don't.

Sources: the codecs of Python 3 (from the Unicode Consortium's mapping tables), and glibc's iconv for VISCII, TCVN and IBM1047.

    python3 generate.py > pages.txt

A line is a name, its other labels, and a tab before the characters of the bytes 0x80 to 0xFF (ASCII below), or, for the
pages of mainframes (EBCDIC), of 0x40 to 0xFF. U+FFFD: no such character. Labels have letters and digits only.
"""
import encodings.aliases
import re
import subprocess

PYTHON = """cp437 cp720 cp737 cp775 cp850 cp852 cp855 cp856 cp857 cp858 cp860 cp861 cp862 cp863 cp864 cp865 cp869 cp1006
cp1125 koi8_t kz1048 ptcp154 hp_roman8 mac_croatian mac_greek mac_iceland mac_latin2 mac_romanian mac_turkish
cp037 cp273 cp424 cp500 cp875 cp1026 cp1140""".split()
ICONV = {"viscii": "VISCII", "tcvn": "TCVN", "cp1047": "IBM1047"}
EBCDIC = {"cp037", "cp273", "cp424", "cp500", "cp875", "cp1026", "cp1140", "cp1047"}
# Labels in use that Python does not know.
MORE = {
    "mac_latin2": "maccentraleurope macce xmacce maccentraleuropean",
    "mac_greek": "xmacgreek",
    "mac_turkish": "xmacturkish",
    "mac_iceland": "xmaciceland maciceland",
    "mac_romanian": "xmacromanian",
    "mac_croatian": "xmaccroatian",
    "cp1140": "ebcdicus037euro",
    "cp437": "dos437 csibm437",
    "cp850": "dos850",
    "cp737": "dos737 ibm737",
    "cp862": "dos862",
    "cp037": "ibm039 csebcdicus",
    "viscii": "csviscii",
    "tcvn": "tcvn5712 tcvn57121 tcvn571211993",
    "cp1047": "ibm1047 1047",
}


def squashed(label: str) -> str:
    return re.sub("[^a-z0-9]", "", label.lower())


def decoded(name: str, byte: int) -> str:
    try:
        if name in ICONV:
            run = subprocess.run(["iconv", "-f", ICONV[name], "-t", "UTF-8"], input=bytes([byte]), capture_output=True, check=True)
            text = run.stdout.decode()
        else:
            text = bytes([byte]).decode(name)
    except (UnicodeDecodeError, subprocess.CalledProcessError):
        return "\ufffd"
    usable = len(text) == 1 and (ord(text) >= 0xA0 or 0x20 <= ord(text) < 0x7F)
    return text if usable else "\ufffd"


for name in PYTHON + list(ICONV):
    labels = {squashed(alias) for alias, of in encodings.aliases.aliases.items() if of == name}
    labels |= set(MORE.get(name, "").split()) | {squashed(name)}
    first = 0x40 if name in EBCDIC else 0x80
    characters = "".join(decoded(name, byte) for byte in range(first, 0x100))
    print(" ".join([name.replace("_", "-"), *sorted(labels)]), characters, sep="\t")
