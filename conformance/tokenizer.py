"""The tokenizer of a model as its user names it: a file on disk, or an encoding of tiktoken.

Both libraries are optional (the extra ``tokenizer``). Nothing but the named file is read. Only an
encoding of tiktoken that is not in its cache is downloaded, by tiktoken itself, and that only
because the user named it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from conformance.input_files import MIB, InputError, is_file, is_folder, one_line, read_file

EXTRA = "pip install 'completions-conformance[tokenizer]'"
FILE = "tokenizer.json"
MAX_BYTES = 64 * MIB
MAX_NAME_CHARS = 200


class TokenizerError(ValueError):
    """A tokenizer cannot be used; the message is one sentence that says what to do."""


@dataclass(frozen=True, slots=True)
class Tokenizer:
    """Counts the tokens of a text.

    Attributes:
        name: as the user wrote it.
        count: returns the number of tokens of a text, without those that mark its beginning or end.
    """

    name: str
    count: Callable[[str], int]


def load_tokenizer(name: str, folder: Path | None = None) -> Tokenizer:
    """Load a tokenizer.

    Args:
        name: the path of a ``tokenizer.json`` or of a folder with one, or else the name of an
            encoding (``cl100k_base``) or of a model that tiktoken knows.
        folder: what a path is relative to; the current folder if None.

    Raises:
        TokenizerError: it is unknown or cannot be read, or a library is not installed.
    """
    if not name.strip():
        raise TokenizerError(f"must be a {FILE} or an encoding such as cl100k_base, and is empty")
    path = Path(name) if folder is None else folder / name
    path = path / FILE if is_folder(path) else path
    if is_file(path):
        return Tokenizer(name, _of_file(path))
    if path.suffix == ".json" or "/" in name or "\\" in name:
        raise TokenizerError(f"there is no file {one_line(str(path), MAX_NAME_CHARS)}")
    return Tokenizer(name, _of_encoding(name))


def _of_file(path: Path) -> Callable[[str], int]:
    try:
        from tokenizers import Tokenizer as Loaded  # noqa: PLC0415 - optional
    except ImportError:
        raise TokenizerError(f"a {FILE} needs the package tokenizers; run: {EXTRA}") from None
    try:
        loaded: Any = Loaded.from_str(read_file(path, MAX_BYTES).decode())
        loaded.no_padding()
        loaded.no_truncation()
        loaded.encode("a", add_special_tokens=False)
    except InputError as error:
        raise TokenizerError(str(error)) from None
    except Exception as error:  # noqa: BLE001 - the library raises no more specific error
        reason = one_line(str(error), MAX_NAME_CHARS)
        shown = one_line(str(path), MAX_NAME_CHARS)
        raise TokenizerError(f"{shown} is not a tokenizer of Hugging Face: {reason}") from None
    return lambda text: len(loaded.encode(text, add_special_tokens=False).ids)


def _of_encoding(name: str) -> Callable[[str], int]:
    shown = one_line(repr(name), MAX_NAME_CHARS)
    try:
        import tiktoken  # noqa: PLC0415 - optional
    except ImportError:
        raise TokenizerError(
            f"{shown} is no file; an encoding of tiktoken needs that package; run: {EXTRA}"
        ) from None
    known = tiktoken.list_encoding_names()
    try:
        encoding = name if name in known else tiktoken.encoding_name_for_model(name)
    except KeyError:
        raise TokenizerError(
            f"{shown} is neither a file nor known to tiktoken; name a {FILE}, one of "
            f"{', '.join(known)}, or a model of OpenAI"
        ) from None
    try:
        loaded = tiktoken.get_encoding(encoding)
    except Exception as error:  # noqa: BLE001 - tiktoken raises what its HTTP library raises
        raise TokenizerError(
            f"tiktoken has to download the encoding {encoding} and could not "
            f"({one_line(type(error).__name__)}); without a network name a local {FILE}, or set "
            "TIKTOKEN_CACHE_DIR to a folder that has it"
        ) from None
    # Marks such as <|endoftext|> that a prompt spells out are ordinary text to most endpoints.
    return lambda text: len(loaded.encode(text, disallowed_special=()))
