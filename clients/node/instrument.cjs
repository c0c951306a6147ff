// Registers one instrumentation with the OpenTelemetry SDK, as its documentation has it, and sends
// what is left when the program ends. SPANPROOF_INSTRUMENTATION names the package and its class,
// SPANPROOF_INSTRUMENTATION_OPTIONS is what its constructor gets, as JSON.
"use strict";

const { NodeSDK } = require("@opentelemetry/sdk-node");

const [name, exported] = process.env.SPANPROOF_INSTRUMENTATION.split("#");
const Instrumentation = require(name)[exported];
const options = JSON.parse(process.env.SPANPROOF_INSTRUMENTATION_OPTIONS ?? "{}");
const sdk = new NodeSDK({ instrumentations: [new Instrumentation(options)] });
sdk.start();

let ended = false;
process.on("beforeExit", () => {
  if (!ended) {
    ended = true;
    sdk.shutdown();
  }
});
