"""A history as a static site: a front page, a page and a badge for each target, and feeds.

    index.html                  targets and days, as a heat map
    targets/NAME.html           one target: states, changes, times, cost, availability
    targets/NAME.svg, .json     its badge
    reports/DAY-KEY.html        with ``reports``, those of last runs and around changes
    feed.xml, feed.zh.xml       changes as Atom
    site.json                   what the pages were made from; those that would be equal stay

It is readable without scripts, loads nothing, and opens from disk.
"""

from conformance.history.site.build import MANIFEST, Options, SiteFile, files, is_site

__all__ = ["MANIFEST", "Options", "SiteFile", "files", "is_site"]
