"""Reads a page of `ridgeline report` back, byte by byte, as its script does."""

import base64
import gzip
import json
from html.parser import HTMLParser

import numpy as np

KINDS = {"u8": "<u1", "u16": "<u2", "u32": "<u4", "f32": "<f4"}
NO_BOUND = 0xFFFF


class Page(HTMLParser):
    """`elements`: (tag, attributes) in order; `scripts`: texts of script elements by id, "" for the page's own."""

    def __init__(self, path):
        super().__init__(convert_charrefs=True)
        self.text = path.read_text(encoding="utf-8")
        self.elements, self.scripts, self.inside = [], {}, None
        self.feed(self.text)
        self.close()
        self.summary = json.loads(self.scripts["summary"])
        self.names = [facts["name"] for facts in self.summary["metrics"]]

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs)))
        if tag == "script":
            self.inside = dict(attrs).get("id", "")
            assert self.inside not in self.scripts
            self.scripts[self.inside] = ""

    def handle_endtag(self, tag):
        if tag == "script":
            self.inside = None

    def handle_data(self, data):
        if self.inside is not None:
            self.scripts[self.inside] += data

    def library(self):
        return gzip.decompress(base64.b64decode(self.scripts["library"])).decode()

    def metric(self, name):
        """Columns of a metric by name: timestamps, values, and so on; rows of bits as {name: bool[n]}."""
        place = self.names.index(name)
        content = gzip.decompress(base64.b64decode(self.scripts[f"columns-{place}"]))
        found, at = {}, 0
        for section in self.summary["metrics"][place]["sections"]:
            kind = np.dtype(KINDS[section["type"]])
            planes = content[at : at + section["length"] * kind.itemsize]
            sorted_by_place = np.frombuffer(planes, np.uint8).reshape(kind.itemsize, section["length"])
            found[section["name"]] = section | {"data": np.ascontiguousarray(sorted_by_place.T).reshape(-1).view(kind)}
            at += len(planes)
        assert at == len(content)
        return meaning(found, self.summary["outcomes"])


def meaning(sections, outcomes):
    """What the columns say."""
    steps = sections["delta"]["length"]
    deltas, values = sections["delta"], sections["value"]

    def rows(name):
        if name not in sections:
            return {}
        section = sections[name]
        bits = section["data"].reshape(len(section["names"]), -(-steps // 8))
        truths = [np.unpackbits(row, bitorder="little")[:steps].astype(bool) for row in bits]
        return dict(zip(section["names"], truths, strict=True))

    def bound(name):
        section = sections[name]
        told = section["base"] + section["scale"] * section["data"].astype(float)
        return np.where(section["data"] == NO_BOUND, np.nan, told)

    return {
        "timestamp": deltas["base"] + np.cumsum(deltas["data"].astype(np.int64)),
        "value": values["base"] + values["scale"] * values["data"].astype(float),
        "score": sections["score"]["data"] / 1000,
        "outcome": [outcomes[code] for code in sections["outcome"]["data"]],
        "anomalous": rows("anomalous")["anomalous"],
        "votes": rows("votes"),
        "channels": rows("channels"),
        "band": (bound("low"), bound("high")) if "low" in sections else None,
        "pages": sections["pages"]["data"].astype(np.int64),
    }
