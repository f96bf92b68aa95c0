// Where a command writes: lines for a person or JSON for a program on standard output, the rest on standard error.
import type { Writable } from "node:stream";

export interface Streams {
  stdout: Writable & { isTTY?: boolean };
  stderr: Writable & { isTTY?: boolean };
  stdin: NodeJS.ReadableStream;
  env: Readonly<Record<string, string | undefined>>;
}

export type ColorChoice = "auto" | "always" | "never";

/** SGR codes by what is meant, so that a palette is one table. */
const STYLES = { bold: "1", dim: "2", red: "31", green: "32", yellow: "33", cyan: "36" } as const;
export type Style = keyof typeof STYLES;

export class Output {
  readonly isJson: boolean;
  readonly #streams: Streams;
  readonly #colored: boolean;

  constructor(streams: Streams, options: { json: boolean; color: ColorChoice }) {
    this.isJson = options.json;
    this.#streams = streams;
    const auto = streams.stdout.isTTY === true && !streams.env.NO_COLOR;
    this.#colored = !options.json && (options.color === "always" || (options.color === "auto" && auto));
  }

  /** A result for a person; with --json nothing, since standard output then holds JSON only. */
  line(text = ""): void {
    if (!this.isJson) this.#streams.stdout.write(`${text}\n`);
  }

  /** A result for a program, one line. */
  json(value: unknown): void {
    if (this.isJson) this.raw(`${JSON.stringify(value)}\n`);
  }

  /** A result that has one form only, such as the JSON of `tap`. */
  raw(text: string): void {
    this.#streams.stdout.write(text);
  }

  /** Something a person should know that is no result. */
  note(text: string): void {
    this.#streams.stderr.write(`${text}\n`);
  }

  /** The text in a style, plain where there are no colours. */
  paint(style: Style, text: string): string {
    return this.#colored ? `\u001b[${STYLES[style]}m${text}\u001b[0m` : text;
  }
}
