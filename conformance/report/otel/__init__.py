"""A recorded run as OpenTelemetry spans and metrics, by the conventions for generative AI."""
