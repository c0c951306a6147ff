// Checks the action: `node check.mjs REPOSITORY SPANPROOF FOLDER`. GitHub's own language service must
// find nothing in action.yml, nor in the workflow of the guide, and the steps must do what the inputs
// say. FOLDER is for what is written, and holds `capture.otlp` with its `ledger.jsonl`.
import assert from "node:assert/strict";
import fs from "node:fs";
import { register } from "node:module";
import path from "node:path";
import process from "node:process";
import { test } from "node:test";
import { pathToFileURL } from "node:url";
import { TextDocument } from "vscode-languageserver-textdocument";
import { parse } from "yaml";
import { runAction } from "./runner.mjs";

register("./json.mjs", import.meta.url);
const { validate } = await import("@actions/languageservice");

const [root, binary, folder] = process.argv.slice(2).map((argument) => path.resolve(argument));
const action = parse(fs.readFileSync(path.join(root, "action.yml"), "utf8"));

function run(name, inputs, more = {}) {
  const home = path.join(folder, name);
  return runAction(action, { root, home, inputs: { binary, ...inputs }, ...more });
}

// What the language service says of `file`, which it takes to be at `as`.
async function diagnostics(file, as) {
  const text = fs.readFileSync(path.join(root, file), "utf8");
  const uri = pathToFileURL(path.join(root, as)).href;
  const document = TextDocument.create(uri, "yaml", 1, text);
  const found = await validate(document, { actionsMetadataProvider: { fetchActionMetadata } });
  return found
    .map(({ message, range }) => `${file}:${range.start.line + 1}: ${message}`)
    // Of GitHub's own actions nothing is known here, without a network.
    .filter((problem) => !/Unable to resolve action `actions\//.test(problem));
}

// Of our own action, from its file.
async function fetchActionMetadata({ name }) {
  return name === "spanproof" ? action : undefined;
}

const checked = ["capture.otlp", "--ledger", "ledger.jsonl"];
const args = checked.map((name) => (name.startsWith("-") ? name : path.join(folder, name))).join("\n");

test("the action is one to the language service", async () => {
  assert.deepEqual(await diagnostics("action.yml", "action.yml"), []);
});

test("the workflow of the guide is one to the language service", async () => {
  const as = ".github/workflows/telemetry.yml";
  assert.deepEqual(await diagnostics("docs/ci/github.yml", as), []);
});

test("what conforms passes, with a summary and a SARIF report", () => {
  const ran = run("conforms", { verb: "check", args, sarif: "report.sarif" });
  assert.equal(ran.code, 0, ran.log);
  assert.equal(ran.outputs["exit-code"], "0");
  assert.match(ran.summary, /conforms/);
  assert.doesNotMatch(ran.log, /^::error/m);
  assert.equal(ran.outputs.sarif, path.join(folder, "conforms/report.sarif"));
  assert.equal(JSON.parse(fs.readFileSync(ran.outputs.sarif)).version, "2.1.0");
  assert.equal(ran.outputs.binary, binary);
});

test("findings fail the step, as annotations and in the summary", () => {
  const ran = run("findings", { verb: "check", args, semconv: "1.36.0" });
  assert.equal(ran.code, 1, ran.log);
  assert.equal(ran.outputs["exit-code"], "1");
  assert.match(ran.log, /^::error /m);
  assert.match(ran.log, /^violation /m);
  assert.match(ran.summary, /does not conform/);
  assert.equal(ran.outputs.sarif, "");
});

test("annotations and summary can be left out", () => {
  const without = { annotations: "false", summary: "false" };
  const ran = run("quiet", { verb: "check", args, semconv: "1.36.0", ...without });
  assert.equal(ran.code, 1, ran.log);
  assert.doesNotMatch(ran.log, /^::/m);
  assert.equal(ran.summary, "");
});

test("a command is a script, and its environment has the mock", () => {
  const command = 'test -n "$AWS_ENDPOINT_URL_BEDROCK_RUNTIME"\nfalse | true\necho "not reached"';
  const ran = run("script", { run: command });
  assert.equal(ran.code, 3, ran.log);
  assert.doesNotMatch(ran.log, /not reached/);
  const silent = run("silent", { run: "true" });
  assert.equal(silent.code, 4, silent.log);
  assert.equal(silent.outputs["exit-code"], "4");
});

test("arguments are lines, and may have spaces", () => {
  const ran = run("spaces", { verb: "check", args: "no such file.otlp" });
  assert.equal(ran.code, 3, ran.log);
  assert.match(ran.log, /no such file\.otlp/);
});

test("inputs that do not fit are usage errors", () => {
  for (const inputs of [{ verb: "mock" }, { verb: "run" }, { verb: "check", run: "true" }]) {
    const ran = run(`usage-${inputs.verb}`, inputs);
    assert.equal(ran.code, 2, ran.log);
    assert.match(ran.log, /^::error::the /m);
  }
  assert.equal(run("no-binary", { binary: "/no/spanproof", run: "true" }).code, 3);
});

test("without a binary the action's own sources are built, once", () => {
  // In cargo's place, so that nothing is compiled here: it says how it was asked.
  const programs = path.join(folder, "programs");
  fs.mkdirSync(programs);
  const built = "$RUNNER_TEMP/spanproof-target/release";
  const cargo = `#!/bin/sh\necho "cargo $*"\nmkdir -p "${built}"\ncp "${binary}" "${built}/spanproof"\n`;
  fs.writeFileSync(path.join(programs, "cargo"), cargo, { mode: 0o755 });
  const env = { PATH: `${programs}:${process.env.PATH}` };
  // A folder of its own, so that the sum over the sources is over two files.
  const sources = path.join(folder, "sources");
  fs.mkdirSync(sources);
  fs.writeFileSync(path.join(sources, "Cargo.toml"), "");
  const given = { root: sources, inputs: { binary: "", verb: "check", args }, env };
  const first = runAction(action, { ...given, home: path.join(folder, "first") });
  assert.equal(first.code, 0, first.log);
  assert.match(first.log, /^cargo build --release --locked --package spanproof --target-dir /m);
  assert.deepEqual(first.steps, [
    "Find spanproof",
    "Fetch spanproof from the cache",
    "Build spanproof",
    "Judge",
  ]);

  const home = path.join(folder, "second");
  const restored = { ...given, home, used: { cache: { "cache-hit": "true" } } };
  const second = runAction(action, restored);
  // The cache that was said to be hit is not there: that the build was passed over shows.
  assert.equal(second.code, 127, second.log);
  assert.ok(!second.steps.includes("Build spanproof"));
});
