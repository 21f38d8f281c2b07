"""Words of the reports, in both languages; those of checks are in :mod:`conformance.locale`."""
