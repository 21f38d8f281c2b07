"""Options that several rooms of the tests share."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--oracle-requests",
        type=int,
        default=300,
        metavar="N",
        help="how many drawn requests the oracle judges (default: %(default)s)",
    )
    parser.addoption(
        "--bad-bodies",
        type=int,
        default=2000,
        metavar="N",
        help="how many drawn bodies are sent to the reference server (default: %(default)s)",
    )
