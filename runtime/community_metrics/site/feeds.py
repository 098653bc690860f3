"""The feeds of the API for a site: every link leads to the published folder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qs, quote, unquote, urlencode, urlsplit
from xml.etree import ElementTree as ET

from community_metrics.api.atom import NAMESPACE
from community_metrics.api.context import PREFIX
from community_metrics.site.paths import OtherFile, file_stem

if TYPE_CHECKING:
    from collections.abc import Mapping
    from collections.abc import Set as AbstractSet

FEEDS: Final = {
    "insights": "Insights of the newest week",
    "restatements": "Values that registries restated",
    "outages": "Outages of package registries",
    "digests": "Digests and milestones",
}
"""The routes that have a feed, each with its title in the list of files."""


def site_address(url: str) -> str:
    """Return the address of a published folder, with a slash at its end.

    Raises:
        ValueError: it is no address of a folder.
    """
    example = "such as https://team.github.io/metrics/"
    try:
        parts = urlsplit(url)
        is_folder = parts.scheme in {"http", "https"} and bool(parts.hostname) and parts.port != 0
        has_user = "@" in parts.netloc
    except ValueError:  # a port that is not a number up to 65535, or half an IPv6 address
        is_folder, has_user = False, "@" in url
    if has_user or (not is_folder and "@" in url):  # not repeated: the part before the @ may be a password
        raise ValueError(f"an address has no user and no password, {example}")
    # urlsplit drops line breaks and tabs itself, so the text is looked at
    if not is_folder or not url.isprintable() or set(url) & set('?#"<> \\'):
        raise ValueError(f"{url!r} is not the address of a folder, {example}")
    return f"{url.rstrip('/')}/"


@dataclass(frozen=True, slots=True)
class Published:
    """What a published site has: its address, the product of each metric, its weeks and its files.

    `products` has the metrics that are on the page of a product; any other one has only its file.
    """

    address: str
    products: Mapping[str, str]
    weeks: AbstractSet[str]
    files: AbstractSet[str]

    def feed(self, route: str, sent: bytes) -> bytes:
        """Return a feed of the API with the links of this site; the ids of its entries stay."""
        root = ET.fromstring(sent)  # noqa: S314  our own bytes
        for element in root.iter():
            element.tag = element.tag.removeprefix(f"{{{NAMESPACE}}}")
        root.set("xmlns", NAMESPACE)
        own = next(root.iter("link"))  # the first one is the feed's
        own.set("href", f"{self.address}{_file(feed_file(route).name)}")
        before = f"{root.findtext('id')}/"
        for entry in root.iter("entry"):
            name = entry.findtext("id", "").removeprefix(before)
            for link in entry.iter("link"):
                target, media_type = self._target(route, name, link.attrib["href"])
                link.attrib.update({"type": media_type, "href": f"{self.address}{target}"})
        content: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
        return content

    def _target(self, route: str, name: str, link: str) -> tuple[str, str]:
        """Return where a link of the entry `name` leads to in this site, and what is there.

        A digest is a file. An outage is in the list of the page. A metric is on the page of its product, in
        the period of the insight if it is one of the site's weeks.
        """
        if route == "outages":
            return "", "text/html"
        period = name.partition("/")[0] if route == "insights" else ""
        parts = urlsplit(link)
        path, query = unquote(parts.path.removeprefix(PREFIX)), parse_qs(parts.query)
        if path in self.files:
            return _file(path), "text/html"
        named = path.removeprefix("series/") if path.startswith("series/") else ""
        metric_id = named or _one(query, "metric_id") or ""
        product = _one(query, "product") or self.products.get(metric_id)
        file = f"series/{file_stem(metric_id)}.csv"
        if product is None and file in self.files:
            return _file(file), "text/csv"
        state = {"week": period} if period in self.weeks else {}
        state |= {} if product is None else {"product": product}
        return f"?{urlencode(state)}" if state else "", "text/html"


def feed_file(route: str) -> OtherFile:
    """Return the file of a feed."""
    return OtherFile(f"{route}.atom", f"/{route}?format=atom", f"{FEEDS[route]}, as a feed")


def _one(query: Mapping[str, list[str]], name: str) -> str | None:
    return next(iter(query.get(name, ())), None)


def _file(name: str) -> str:
    return f"{PREFIX.removeprefix('/')}{quote(name, safe='/~')}"
