// Work of others that a sensor may slow down: a compile job, and a web server with a client.
import { execFile } from "node:child_process";
import { writeFileSync } from "node:fs";
import { Agent, createServer, get } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { promisify } from "node:util";

const run = promisify(execFile);
const MS_PER_S = 1_000;
const REQUESTS_AT_ONCE = 8;
const P99 = 0.99;

/** Compiles a small file so many times, each in processes of its own; resolves with the seconds it took. */
export async function compileJob(folder: string, files: number): Promise<number> {
  const source = join(folder, "job.c");
  writeFileSync(source, '#include <stdio.h>\n#include <stdlib.h>\nint main(void) { return puts(getenv("x")); }\n');
  const started = performance.now();
  const script = 'for n in $(seq "$1"); do cc -O1 -c -o "$2.$n.o" "$2" || exit 1; done';
  await run("sh", ["-c", script, "sh", String(files), source]);
  return (performance.now() - started) / MS_PER_S;
}

/** Asks a web server so often, each time over a new connection; resolves with the 99th percentile in ms. */
export async function webJob(requests: number): Promise<number> {
  const server = createServer((_, response) => void response.end("x"));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: false });
  const times: number[] = [];
  const ask = () =>
    new Promise<void>((resolve, reject) => {
      const started = performance.now();
      get({ host: "127.0.0.1", port, agent }, (response) => {
        response.resume();
        response.on("end", () => {
          times.push(performance.now() - started);
          resolve();
        });
      }).on("error", reject);
    });
  const worker = async () => {
    while (times.length < requests) await ask();
  };
  await Promise.all(Array.from({ length: REQUESTS_AT_ONCE }, worker));
  server.close();
  times.sort((left, right) => left - right);
  return times[Math.floor(times.length * P99)] ?? 0;
}
