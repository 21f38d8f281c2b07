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
    parser.addoption(
        "--simulated-servers",
        type=int,
        default=400,
        metavar="N",
        help="how many correct servers the statistical checks judge (default: %(default)s)",
    )
    parser.addoption(
        "--heavy-clients",
        action="store_true",
        help="run the clients whose environments are heavy as well, after making these",
    )


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", "heavy_client(size): needs an environment of its own of that size on disk"
    )
