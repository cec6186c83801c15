"""The pages are tried in the workplace of the command line's tests."""

from tests.support.fixtures import bare

__all__ = ["bare"]
