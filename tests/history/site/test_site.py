"""The site shows every planted change once, and is written only where something is new."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from datetime import date, datetime
from itertools import groupby
from pathlib import Path
from urllib.parse import unquote

import pytest

from conformance.history.changes import steps
from conformance.history.site.build import Options, _digest
from conformance.history.site.days import Span, day_of, span_until
from conformance.history.site.feed import ATOM
from conformance.history.site.pages import Target, front, target_page
from conformance.history.site.series import views
from conformance.language import Language
from tests.history.entries import FIRST, an_entry
from tests.history.simulated import Planted, a_year
from tests.lanes import by_default
from tests.report.hostile import ACTING, ATTACKS
from tests.report.test_hostile_report import Elements

NS = {"a": ATOM}
URL = "https://conformance.example/site/"
LINK = re.compile(r'href="([^"#]*)(?:#([^"]*))?"')


@pytest.mark.parametrize("seed", by_default([0], range(20)))
def test_planted_changes_are_found(seed: int) -> None:
    year = a_year(20, 120, seed)
    turns = [
        (step.entry, turn.check, is_regression)
        for step in steps(year.entries)
        for is_regression, turns in ((True, step.regressions), (False, step.recoveries))
        for turn in turns
    ]
    assert len(turns) > 20
    found = {Planted(e.target, _day(e.label), check, up) for e, check, up in turns}
    assert found == set(year.planted)
    assert len(turns) == len(year.planted)


def _day(label: str) -> int:
    return (date.fromisoformat(label) - FIRST.date()).days


def test_every_link_leads_somewhere(keep, make_site, tmp_path: Path) -> None:
    kept = keep(a_year(3, 60, seed=2).entries)
    for options in ({}, {"reports": True}):
        folder = tmp_path / f"site-{len(options)}"
        made = make_site(kept, folder, **options)
        links = 0
        for place, text in made.items():
            for target, anchor in LINK.findall(text) if place.endswith(".html") else ():
                if not target or ":" in target:
                    continue
                links += 1
                path = (folder / place).parent / unquote(target)
                assert path.is_file(), (place, target)
                if anchor and path.suffix == ".html":
                    assert f'id="{unquote(anchor)}"' in path.read_text("utf-8"), (place, anchor)
        assert links > 20
        assert any(place.startswith("reports/") for place in made) is bool(options)


def test_target_without_new_runs_is_not_written(keep, make_site) -> None:
    year = a_year(4, 20)
    *before, last = [e for e in year.entries if e.target == "vendor-002"]
    others = [e for e in year.entries if e.target != "vendor-002"]
    kept = keep([*others, *before])
    first = make_site(kept)
    assert {f"targets/vendor-00{n}.html" for n in range(4)} <= set(first)
    assert set(make_site(kept)) == {"index.html", "feed.xml", "feed.zh.xml", "site.json"}
    keep([last])
    assert {place for place in make_site(kept) if place.startswith("targets/")} == {
        f"targets/vendor-002{ending}" for ending in (".html", ".svg", ".json")
    }


def test_what_is_pruned_leaves_the_site(keep, make_site, tmp_path: Path) -> None:
    year = a_year(3, 60, seed=2)
    kept = keep(year.entries)
    made = make_site(kept, reports=True)
    assert any(place.startswith("reports/") for place in made)
    gone = {e.target for e in year.entries} - {"vendor-000"}
    kept.prune([e for e in year.entries if e.target in gone])
    removed = {place for place, text in make_site(kept, reports=True).items() if text is None}
    assert {f"targets/{name}.html" for name in gone} <= removed
    folder = tmp_path / "site"
    left = {path.relative_to(folder).as_posix() for path in folder.rglob("*.*")}
    assert left == set(made) - removed


def test_page_is_made_again_with_other_options() -> None:
    entry = an_entry()
    digests = {
        _digest([entry], options)
        for options in (Options(), Options(days=30), Options(reports=True))
    }
    assert len(digests) == 3


def test_inconclusive_day_does_not_interrupt() -> None:
    verdicts = ["pass", "fail", "inconclusive", "fail", "fail"]
    entries = [
        an_entry(day, {} if verdict == "pass" else {"stop.string": verdict})
        for day, verdict in enumerate(verdicts)
    ]
    (view,) = views(entries, span_until(entries, 365))
    assert view.since.en == "since 2026-01-02"
    (view,) = views(entries[:3], span_until(entries, 365))
    assert (view.now.words.en, view.since.en) == ("Inconclusive", "since 2026-01-03")
    (view,) = views(entries, Span(day_of(entries[3]), day_of(entries[4])))
    assert view.since.en == "since 2026-01-04 or earlier"


def test_other_measures_are_said(keep, make_site) -> None:
    kept = keep(
        [
            an_entry(0),
            an_entry(1, {"stop.string": "fail"}, suite="0.2.0"),
            an_entry(2, suite="0.2.0", model="huge"),
        ]
    )
    page = make_site(kept)["targets/zero.html"]
    assert page.count("another version of the suite or of the contract") == 1
    assert "model <code>huge</code> at" in page
    assert "1 recovery" in page
    assert "1 regression" not in page


@pytest.mark.parametrize("attack", ATTACKS.values(), ids=ATTACKS.keys())
def test_hostile_names_are_text(keep, make_site, tmp_path: Path, attack: str) -> None:
    harmless = attack if "\ud800" in attack else "harmless"
    pages = []
    for number, name in enumerate((harmless.replace("\ud800", "?"), attack)):
        text = name.encode("utf-8", "backslashreplace").decode()
        hostile = {
            "target": text,
            "model": text,
            "base_url": text,
            "contract_name": text,
            "region": text,
            "path": "runs/t/r.ndjson.gz",
        }
        entries = [
            an_entry(0, {}, (text,), parameters={text: "honoured"}, **hostile),
            an_entry(
                1,
                {text: "fail"},
                parameters={text: "ignored"},
                fields={text: "altered"},
                **{**hostile, "path": "runs/t/s.ndjson.gz"},
            ),
        ]
        kept = keep(entries)
        made = make_site(kept, tmp_path / str(number))
        kept.prune(entries)
        pages.append([text for place, text in made.items() if place.endswith(".html")])
        assert not any(ACTING.findall(text) for text in made.values())
    for harmless_page, hostile_page in zip(*pages, strict=True):
        assert Elements(hostile_page).structure == Elements(harmless_page).structure


@pytest.mark.parametrize("count", by_default([12], [12, 300]))
def test_pages_of_many_targets_are_small(count: int) -> None:
    """300 targets that all change every day, the most there is to show, stay below 5 MB a page."""
    year = a_year(count, is_restless=True)
    targets = [
        Target(name, views(list(group), span_until(year.entries, 365)))
        for name, group in groupby(year.entries, key=lambda entry: entry.target)
    ]
    page = front(targets, targets[0].series[0].span, Language.ENGLISH)
    assert len(page.encode()) < 60_000 + count * 16_000
    alone = target_page(targets[0], lambda *_: "x", Language.ENGLISH, has_badge=True)
    assert len(alone.encode()) < 1_000_000


def test_feed_has_each_change_once(keep, make_site) -> None:
    year = a_year(5, 60, seed=2)
    made = make_site(keep(year.entries))
    for name, language in (("feed.xml", "en"), ("feed.zh.xml", "zh")):
        feed = ET.fromstring(made[name])
        assert feed.get("{http://www.w3.org/XML/1998/namespace}lang") == language
        for part in ("a:id", "a:title", "a:updated", "a:author/a:name"):
            assert feed.findtext(part, "", NS), part
        entries = feed.findall("a:entry", NS)
        assert len(entries) == len({(p.target, p.day, p.is_regression) for p in year.planted})
        assert len({entry.findtext("a:id", namespaces=NS) for entry in entries}) == len(entries)
        for entry in entries:
            assert re.fullmatch(r"urn:uuid:[0-9a-f-]{36}", entry.findtext("a:id", "", NS))
            assert datetime.fromisoformat(entry.findtext("a:updated", "", NS)).tzinfo
            assert entry.findtext("a:summary", "", NS)
        times = [entry.findtext("a:updated", "", NS) for entry in entries]
        assert times == sorted(times, reverse=True)
        assert feed.findtext("a:updated", "", NS) == times[0]
        assert "://" not in "".join(link.get("href", "") for link in feed.iter(f"{{{ATOM}}}link"))


def test_feed_keeps_its_ids(keep, make_site, tmp_path: Path) -> None:
    year = a_year(2, 60, seed=2)
    kept = keep(year.entries)
    ids = [
        [entry.findtext("a:id", "", NS) for entry in ET.fromstring(text).findall("a:entry", NS)]
        for text in (
            make_site(kept, tmp_path / "a")["feed.xml"] or "",
            make_site(kept, tmp_path / "b", url="https://x.example/", days=60)["feed.xml"] or "",
        )
    ]
    assert ids[0] == ids[1] != []


def test_feed_with_an_address_has_whole_links(keep, make_site) -> None:
    feed = ET.fromstring(make_site(keep(a_year(2, 60, seed=2).entries), url=URL)["feed.xml"])
    links = [link.get("href", "") for link in feed.iter(f"{{{ATOM}}}link")]
    assert f"{URL}feed.xml" in links
    assert all(link.startswith(URL) for link in links)


def test_feed_says_what_changed_in_words(keep, make_site) -> None:
    kept = keep([an_entry(0), an_entry(1, {"stop.string": "fail"}), an_entry(2)])
    made = make_site(kept)
    titles = [
        [entry.findtext("a:title", "", NS) for entry in ET.fromstring(text).findall("a:entry", NS)]
        for text in (made["feed.xml"], made["feed.zh.xml"])
    ]
    assert titles == [
        ["zero: stop.string no longer deviates", "zero: stop.string now deviates"],
        ["zero：stop.string 不再有偏差", "zero：stop.string 现在出现偏差"],
    ]
