"""What the checks of several areas use; no check is registered here."""
