// Runs the steps of a composite action as a runner of GitHub does: expressions by GitHub's own
// evaluator, scripts by bash, outputs and summary through files.
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import path from "node:path";
import process from "node:process";
import { data, Evaluator, Lexer, Parser } from "@actions/expressions";

// Runs `action`, a parsed action.yml in the folder `root`, with `inputs`, in a new folder `home`.
// Steps that use other actions are passed over, with the outputs that `used` has for their ids.
export function runAction(action, { root, home, inputs = {}, env = {}, used = {} }) {
  fs.mkdirSync(home, { recursive: true });
  const temporary = path.join(home, "temp");
  fs.mkdirSync(temporary);
  const defaults = Object.entries(action.inputs).map(([name, { default: value }]) => [name, value]);
  const context = {
    inputs: { ...Object.fromEntries(defaults), ...inputs },
    github: { action_path: root },
    runner: { os: "Linux", arch: "X64", temp: temporary },
    steps: {},
  };
  const ran = { code: 0, log: "", summary: "", steps: [], outputs: {} };
  for (const step of action.runs.steps) {
    if (ran.code !== 0) break;
    if (step.if !== undefined && evaluate(step.if, context).coerceString() !== "true") continue;
    ran.steps.push(step.name);
    let outputs = used[step.id] ?? {};
    if (step.run !== undefined) {
      const done = runStep(step, context, { home, temporary, env });
      ran.code = done.code;
      ran.log += done.log;
      ran.summary += done.summary;
      outputs = done.outputs;
    }
    if (step.id !== undefined) context.steps[step.id] = { outputs };
  }
  for (const [name, { value }] of Object.entries(action.outputs)) {
    ran.outputs[name] = interpolate(value, context);
  }
  return ran;
}

function runStep(step, context, { home, temporary, env }) {
  const files = Object.fromEntries(
    ["GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "SCRIPT"].map((name) => {
      const file = path.join(temporary, `${name}-${Object.keys(context.steps).length}`);
      fs.writeFileSync(file, name === "SCRIPT" ? interpolate(step.run, context) : "");
      return [name, file];
    }),
  );
  const own = Object.entries(step.env ?? {}).map(([name, value]) => [name, interpolate(value, context)]);
  const { GITHUB_OUTPUT, GITHUB_STEP_SUMMARY, SCRIPT } = files;
  const folder = path.resolve(home, interpolate(step["working-directory"] ?? ".", context));
  const done = spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", SCRIPT], {
    cwd: folder,
    encoding: "utf8",
    env: {
      ...process.env,
      RUNNER_TEMP: temporary,
      GITHUB_OUTPUT,
      GITHUB_STEP_SUMMARY,
      ...env,
      ...Object.fromEntries(own),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  if (done.error !== undefined) throw done.error;
  const said = fs.readFileSync(GITHUB_OUTPUT, "utf8").split("\n").filter(Boolean);
  return {
    code: done.status,
    log: done.stdout + done.stderr,
    summary: fs.readFileSync(GITHUB_STEP_SUMMARY, "utf8"),
    outputs: Object.fromEntries(
      said.map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
    ),
  };
}

function interpolate(text, context) {
  return text.replace(/\$\{\{(.*?)\}\}/g, (_, expression) =>
    evaluate(expression.trim(), context).coerceString(),
  );
}

function evaluate(expression, context) {
  const { tokens } = new Lexer(expression).lex();
  const parsed = new Parser(tokens, Object.keys(context), []).parse();
  return new Evaluator(parsed, dictionary(context)).evaluate();
}

function dictionary(members) {
  const entries = Object.entries(members).map(([key, value]) => ({
    key,
    value: typeof value === "string" ? new data.StringData(value) : dictionary(value),
  }));
  return new data.Dictionary(...entries);
}
