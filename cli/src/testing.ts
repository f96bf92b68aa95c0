// What the command line's tests share: one run of it in this process, and messages to feed it with.
import { PassThrough, Writable } from "node:stream";
import { create } from "@bufbuild/protobuf";
import { type Batch, BatchSchema, Call } from "@nightjar/proto";
import { runProgram } from "./run-program.ts";

export interface Run {
  code: number;
  stdout: string;
  stderr: string;
}

export interface RunInput {
  stdin?: Uint8Array;
  env?: Record<string, string>;
  signal?: AbortSignal;
  /** Called with what is written to standard output, as it is. */
  wrote?: (text: string) => void;
}

/** A stream that keeps what is written to it. */
export class Collected extends Writable {
  text = "";
  readonly #wrote: ((text: string) => void) | undefined;

  constructor(wrote?: (text: string) => void) {
    super();
    this.#wrote = wrote;
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += chunk.toString();
    this.#wrote?.(chunk.toString());
    done();
  }
}

/** Runs the command line with an environment of its own; what it writes is returned. */
export async function runCli(args: readonly string[], { stdin, env = {}, signal, wrote }: RunInput = {}): Promise<Run> {
  const [stdout, stderr] = [new Collected(wrote), new Collected()];
  const input = new PassThrough();
  input.end(stdin ?? new Uint8Array());
  const streams = { stdout, stderr, stdin: input, env };
  const code = await runProgram(args, streams, signal ?? new AbortController().signal);
  return { code, stdout: stdout.text, stderr: stderr.text };
}

const encode = (text: string) => new TextEncoder().encode(text);

/** Two events of a cat that a shell started: its exec, and an open; as the enricher gives them on. */
export function sampleBatch(): Batch {
  const start = 5_000_000n;
  const actor = { pid: 20, tid: 20, startTimeNs: start, parentPid: 10, name: encode("cat") };
  return create(BatchSchema, {
    bootId: new Uint8Array(16).fill(0xab),
    epoch: 18446744073709551615n,
    firstPosition: 0n,
    nextPosition: 400n,
    bootTimeUnixNs: 1_700_000_000_000_000_000n,
    events: [
      {
        ...actor,
        position: 0n,
        timeNs: 1_000_000n,
        call: Call.EXECVE,
        data: { case: "exec", value: { executable: encode("/usr/bin/cat"), args: ["cat", "/etc/shadow"].map(encode) } },
      },
      {
        ...actor,
        position: 200n,
        timeNs: 2_000_000n,
        call: Call.OPENAT,
        result: 3n,
        data: { case: "open", value: { path: encode("/etc/shadow"), flags: 0n } },
      },
    ],
    processes: [
      { pid: 10, startTimeNs: 1n, name: encode("bash"), image: { executable: encode("/usr/bin/bash") } },
      {
        pid: 20,
        startTimeNs: start,
        parent: 1,
        name: encode("cat"),
        userName: "eve",
        image: { executable: encode("/usr/bin/cat"), args: ["cat", "/etc/shadow"].map(encode) },
      },
    ],
    actors: [2, 2],
  });
}
