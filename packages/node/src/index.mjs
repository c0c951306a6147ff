// What tests import. It knows no test runner: what it gives are promises and functions.
export { Bedrock } from "./bedrock.mjs";
export { binary } from "./program.mjs";
export { judged, Telemetry, TelemetryError } from "./telemetry.mjs";
