// Drives the mock with the AWS SDK for JavaScript, as it comes: over `http://` it speaks HTTP/2 from
// the first byte. Endpoint, region and keys come from the environment, as in any program. Prints one
// JSON line per check; `clients/README.md` says what is in it.

import { answerChecks, guardrailChecks } from "./answers.mjs";
import { client } from "./bedrock.mjs";
import { failureChecks } from "./failures.mjs";
import { streamChecks } from "./streams.mjs";

await answerChecks();
await guardrailChecks();
await streamChecks();
await failureChecks();
client.destroy();
