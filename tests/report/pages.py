"""Parse a page into its elements and its text in one language."""

from __future__ import annotations

from html.parser import HTMLParser

from conformance.language import Language

UNSEEN = frozenset({"title", "style", "script"})
VOID = frozenset({"meta", "link", "input", "br", "wbr"})


class Page(HTMLParser):
    """Elements and text of a page, as somebody meets them who has chosen a language."""

    def __init__(self, text: str, language: Language = Language.ENGLISH) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.chunks: list[str] = []
        self._language = language
        self._hidden: list[bool] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.elements.append((tag, attributes))
        if tag not in VOID:
            self._hidden.append(tag in UNSEEN or self._foreign(tag, attributes))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, _: str) -> None:
        self._hidden.pop()

    def handle_data(self, data: str) -> None:
        if not any(self._hidden):
            self.chunks.append(data)

    def _foreign(self, tag: str, attributes: dict[str, str | None]) -> bool:
        if tag == "html" or "only" in (attributes.get("class") or ""):
            return False
        return attributes.get("lang") not in {None, self._language.value}

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.chunks).split())

    def tags(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.elements if tag == name]

    @property
    def ids(self) -> list[str]:
        return [attributes["id"] or "" for _, attributes in self.elements if "id" in attributes]
