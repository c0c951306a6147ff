#!/usr/bin/env bash
# Judges a program before a merge: ends with 0 when its telemetry conforms. The reports are for people,
# now and later, and for the service that shows the results of tests.
set -euo pipefail

spanproof run \
  --report human \
  --report html=telemetry.html \
  --report junit=telemetry.xml \
  -- "$@"
