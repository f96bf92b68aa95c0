// Reads the tables of a batch as far as the inventory needs them: who a process is, and what it executes.
import { resolve } from "node:path/posix";
import { fromBinary } from "@bufbuild/protobuf";
import { type BatchReader, WireError } from "@nightjar/events";
import {
  type Container,
  ContainerSchema,
  type Executable,
  ExecutableSchema,
  type Process,
  ProcessSchema,
} from "@nightjar/proto";
import { latin1 } from "./identity.ts";

/** A process, with what its batch says of its surroundings. */
export interface Actor {
  process: Process;
  /** The process's own file; empty where it never called exec and that is not known. */
  path: string;
  /** Of an interpreter, the script it was started with. */
  script: string;
  container: Container | undefined;
  contents: Executable | undefined;
  /** Only of services: names of sessions and of what systemd-run starts never come again. */
  unit: string;
  /** Names of its ancestors, the nearest first. */
  ancestors: string;
}

/** Ancestors whose names are told. */
const ANCESTORS_MAX = 8;
/** Programs that run what their first argument names. A script's own line (#!) puts it there, too. */
const INTERPRETER = /\/(python|perl|ruby|node|nodejs|bash|dash|sh|zsh|php|lua|tclsh|java)[0-9.]*$/;

export class Rows {
  readonly batch: BatchReader;
  readonly #actors = new Map<number, Actor | undefined>();
  readonly #containers = new Map<number, Container | undefined>();

  constructor(batch: BatchReader) {
    this.batch = batch;
  }

  /**
   * The process in a row; undefined where there is none, or nothing is known of what it executes.
   * @throws WireError where a row is no message.
   */
  actor(row: number): Actor | undefined {
    if (!this.#actors.has(row)) this.#actors.set(row, this.#read(row));
    return this.#actors.get(row);
  }

  /** The file in a row of the table of executables. */
  executable(row: number): Executable | undefined {
    const { executableBounds: bounds, bytes } = this.batch;
    const [start, end] = [bounds[2 * row], bounds[2 * row + 1]];
    if (start === undefined || end === undefined) return undefined;
    return readable(() => fromBinary(ExecutableSchema, bytes.subarray(start, end)));
  }

  #read(row: number): Actor | undefined {
    const process = this.#process(row);
    const { image } = process ?? {};
    if (!process || !image || image.executable.length === 0) return undefined;
    const path = latin1(image.executable);
    return {
      process,
      path,
      script: scriptOf(process, path),
      container: this.#container(process.container - 1),
      contents: this.executable(process.executable - 1),
      unit: process.unit.endsWith(".service") ? process.unit : "",
      ancestors: this.#ancestors(process),
    };
  }

  #process(row: number): Process | undefined {
    const { processBounds: bounds, bytes } = this.batch;
    const [start, end] = [bounds[2 * row], bounds[2 * row + 1]];
    if (start === undefined || end === undefined) return undefined;
    return readable(() => fromBinary(ProcessSchema, bytes.subarray(start, end)));
  }

  #container(row: number): Container | undefined {
    if (row < 0) return undefined;
    if (this.#containers.has(row)) return this.#containers.get(row);
    const { containerBounds: bounds, bytes } = this.batch;
    const [start, end] = [bounds[2 * row], bounds[2 * row + 1]];
    if (start === undefined || end === undefined) return undefined;
    const container = readable(() => fromBinary(ContainerSchema, bytes.subarray(start, end)));
    this.#containers.set(row, container);
    return container;
  }

  #ancestors({ parent }: Process): string {
    const names: string[] = [];
    for (let row = parent - 1; row >= 0 && names.length < ANCESTORS_MAX; row = this.batch.parent(row)) {
      const process = this.#process(row);
      if (process) names.push(Buffer.from(process.name).toString());
    }
    return names.join(" < ");
  }
}

/** The kernel says which script it was asked for; of what ran before, the first argument does, where it is a path. */
function scriptOf({ image }: Process, path: string): string {
  if (!image) return "";
  if (image.interpreted) return resolve(latin1(image.workingDirectory), latin1(image.filename));
  const options = image.args.slice(1).findIndex((one) => one[0] !== DASH);
  const first = image.args[options + 1];
  const isCode = image.args.slice(1, options + 1).some((one) => CODE.test(latin1(one)));
  return INTERPRETER.test(path) && options >= 0 && !isCode && first?.[0] === SLASH ? latin1(first) : "";
}

/** Behind these stands no script but code, or a module's name. */
const CODE = /^-[a-zA-Z]*[cem]$/;
const SLASH = 0x2f;
const DASH = 0x2d;

function readable<Result>(read: () => Result): Result {
  try {
    return read();
  } catch (error) {
    throw new WireError(`a row that is none: ${(error as Error).message}`, 0);
  }
}
