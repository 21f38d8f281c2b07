"""The file of expected deviations: what it says, and how a run extends and prunes it.

    - check: stop.five-refused
      reason: the gateway cuts the list off after four
      url: https://example.com/issues/12
      expires: 2027-03-31

:mod:`conformance.record.expected` applies its entries to a run.
"""
