"""The mock Bedrock, as one test sees it."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

# How many records the mock shows at once, and keeps, unless told otherwise.
KEPT_RECORDS = 10_000

# Keys that the mock takes from anybody.
KEYS = {"aws_access_key_id": "spanproof", "aws_secret_access_key": "spanproof"}
REGION = "us-east-1"

# The mock is on this machine, whatever proxy the environment names.
OPENER = build_opener(ProxyHandler({}))


class Bedrock:
    """A mock of Amazon Bedrock that no other test sees anything of.

    The faults, quotas, prompt cache and ledger belong to the test alone, by the name of the test
    in the path of ``endpoint``. Clients that are made while the fixture is in use find it by the
    environment; ``endpoint`` is for those that want to be told.
    """

    def __init__(self, server: str, test: str) -> None:
        self.endpoint = f"{server}/_spanproof/tests/{test}"

    def client(self, service: str = "bedrock-runtime", **arguments: Any) -> Any:
        """A client of boto3 for the mock."""
        import boto3

        where = {"endpoint_url": self.endpoint, "region_name": REGION}
        return boto3.client(service, **{**where, **KEYS, **arguments})

    def set_faults(self, *rules: str | Mapping[str, Any]) -> None:
        """From now on strikes the requests that ``rules`` describe, and no others.

        A rule is the name of a fault, such as ``"ThrottlingException@1"`` or ``"cut"``, which
        strikes every request that it fits, or a mapping as plans of faults have it:
        ``{"fault": "cut", "operation": "ConverseStream", "rate": 0.5}``. ``spanproof mock faults``
        lists the names. One that the mock does not know is a ``ValueError``.
        """
        plan = [{"fault": rule} if isinstance(rule, str) else dict(rule) for rule in rules]
        request = Request(
            f"{self.endpoint}/_spanproof/faults",
            data=json.dumps({"rules": plan}).encode(),
            headers={"content-type": "application/json"},
            method="PUT",
        )
        try:
            OPENER.open(request).close()
        except HTTPError as error:
            raise ValueError(json.load(error)["error"]) from None

    def exchanges(self) -> list[dict[str, Any]]:
        """What the mock served to this test, oldest first: model, usage, stop reason, fault."""
        with OPENER.open(f"{self.endpoint}/_spanproof/ledger?last={KEPT_RECORDS}") as page:
            return json.load(page)["exchanges"]

    def write_ledger(self, path: Path) -> None:
        """Writes the ledger of this test, as ``spanproof check --ledger`` reads it."""
        lines = 1 + len(self.exchanges())
        url = f"{self.endpoint}/_spanproof/ledger?follow=true"
        with OPENER.open(url) as records, path.open("wb") as ledger:
            # The stream goes on with what is served next.
            for _ in range(lines):
                ledger.write(records.readline())
