"""Proves GenAI telemetry on AWS Bedrock.

The package carries the program ``spanproof``, and fixtures for pytest that start it:
``bedrock``, a mock of the service, and ``spanproof``, which judges what a test emitted.
"""

from spanproof.mock import Bedrock
from spanproof.program import binary
from spanproof.telemetry import Report, Telemetry

__all__ = ["Bedrock", "Report", "Telemetry", "binary"]
