// The program `spanproof`: where it is, and the servers that it runs.
import { spawn } from "node:child_process";
import { once } from "node:events";
import process from "node:process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

// The path of the program: `SPANPROOF_BINARY`, or what this package carries.
export function binary() {
  return process.env.SPANPROOF_BINARY || fileURLToPath(new URL("../bin/spanproof", import.meta.url));
}

// A verb that serves until it is stopped, and whose first lines say where. It does not keep Node
// running, and ends with it.
export class Server {
  #process;

  static async start(args, lines) {
    const server = new Server();
    await server.#start(args, lines);
    return server;
  }

  async #start(args, lines) {
    // Nothing is written to its input, which ends when this process does, however that comes about.
    const child = spawn(binary(), [...args, "--until-stdin-ends"]);
    this.#process = child;
    let complaints = "";
    child.stderr.setEncoding("utf8").on("data", (text) => (complaints += text));
    this.said = [];
    const failed = once(child, "close").then(([code]) => {
      if (this.said.length < lines) {
        throw new Error(`\`spanproof ${args.join(" ")}\` ended with ${code}:\n${complaints.trim()}`);
      }
    });
    const read = (async () => {
      for await (const line of createInterface(child.stdout)) {
        if (this.said.push(line) === lines) return;
      }
      await failed;
    })();
    await Promise.race([read, failed]);
    for (const handle of [child, ...child.stdio]) handle.unref();
  }

  async stop() {
    const child = this.#process;
    if (child.exitCode === null && child.signalCode === null) {
      child.ref();
      const ended = once(child, "exit");
      child.kill();
      await ended;
    }
  }
}
