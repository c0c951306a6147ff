// Packs the npm package with the binary in it, for the platform of this machine:
//
//     node packages/node/pack.mjs BINARY FOLDER
//
// writes FOLDER/spanproof-VERSION-PLATFORM-ARCHITECTURE.tgz and prints its path. The platform stands
// in the package too, so that npm refuses it elsewhere.
import { execFileSync } from "node:child_process";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import process from "node:process";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const repository = path.resolve(here, "../..");
const [binary, folder] = process.argv.slice(2);
if (folder === undefined) {
  console.error("usage: node pack.mjs BINARY FOLDER");
  process.exit(2);
}

// One version for everything in the repository.
const manifest = fs.readFileSync(path.join(repository, "Cargo.toml"), "utf8");
const [, version] = manifest.match(/^version = "([^"]+)"$/m);
const platform = { os: [process.platform], cpu: [process.arch] };
if (process.platform === "linux") {
  const { glibcVersionRuntime } = process.report.getReport().header;
  platform.libc = [glibcVersionRuntime === undefined ? "musl" : "glibc"];
}

const staged = fs.mkdtempSync(path.join(os.tmpdir(), "spanproof-pack-"));
try {
  const described = JSON.parse(fs.readFileSync(path.join(here, "package.json"), "utf8"));
  fs.writeFileSync(
    path.join(staged, "package.json"),
    JSON.stringify({ ...described, version, ...platform }, null, 2),
  );
  fs.cpSync(path.join(here, "src"), path.join(staged, "src"), { recursive: true });
  fs.copyFileSync(path.join(here, "README.md"), path.join(staged, "README.md"));
  for (const text of ["LICENSE", "NOTICE"]) {
    fs.copyFileSync(path.join(repository, text), path.join(staged, text));
  }
  fs.mkdirSync(path.join(staged, "bin"));
  fs.copyFileSync(binary, path.join(staged, "bin/spanproof"));
  fs.chmodSync(path.join(staged, "bin/spanproof"), 0o755);
  const packed = execFileSync("npm", ["pack", "--json", "--silent"], { cwd: staged });
  const [{ filename }] = JSON.parse(packed);
  const named = `spanproof-${version}-${process.platform}-${process.arch}.tgz`;
  fs.mkdirSync(folder, { recursive: true });
  fs.copyFileSync(path.join(staged, filename), path.join(folder, named));
  console.log(path.join(folder, named));
} finally {
  fs.rmSync(staged, { recursive: true });
}
