// Runs a command of ours within another one, and keeps what it writes.
import { PassThrough, Writable } from "node:stream";
import type { Environment } from "./command.ts";
import type { Ran, RunNightjar } from "./support/collect.ts";

class Kept extends Writable {
  text = "";
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    done();
  }
}

/** `more` stands behind the arguments of each command. */
export function runInside(environment: Environment, more: readonly string[]): RunNightjar {
  return async (args, signal): Promise<Ran> => {
    const [stdout, stderr, stdin] = [new Kept(), new Kept(), new PassThrough()];
    stdin.end();
    const streams = { stdout, stderr, stdin, env: environment.streams.env };
    const code = await environment.run([...args, ...more], streams, signal);
    return { code, stdout: stdout.text, stderr: stderr.text };
  };
}
