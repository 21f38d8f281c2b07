"""The faults, one file per area. Every module below is imported and searched for them."""
