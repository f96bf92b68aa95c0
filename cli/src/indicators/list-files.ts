// Reads the files of a feed: one, standard input, or a folder such as MISP and OSV publish theirs in.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { CommandError } from "../command.ts";

export interface ListFile {
  name: string;
  text: string;
}

const BYTES_MAX = 256 * 1024 * 1024;
/** What lies beside a MISP feed's events. */
const NO_LISTS: ReadonlySet<string> = new Set(["manifest.json", "hashes.csv"]);

/** All of them. @throws CommandError USAGE when something cannot be read or is too large. */
export async function readListFiles(path: string, stdin: NodeJS.ReadableStream): Promise<ListFile[]> {
  const files: ListFile[] = [];
  for await (const file of eachListFile(path, stdin)) files.push(file);
  return files;
}

/** One after the other, in the order of their names. @throws CommandError USAGE as `readListFiles`. */
export async function* eachListFile(path: string, stdin: NodeJS.ReadableStream): AsyncGenerator<ListFile> {
  if (path === "-") return yield { name: "standard input", text: await readStream(stdin) };
  try {
    if (!statSync(path).isDirectory()) return yield readFile(path, path);
    const names = readdirSync(path, { withFileTypes: true })
      .filter((entry) => entry.isFile() && !entry.name.startsWith(".") && !NO_LISTS.has(entry.name))
      .map((entry) => entry.name);
    for (const name of names.sort()) yield readFile(name, join(path, name));
  } catch (error) {
    if (error instanceof CommandError) throw error;
    throw new CommandError("USAGE", `${path} cannot be read: ${(error as Error).message}`);
  }
}

function readFile(name: string, path: string): ListFile {
  if (statSync(path).size > BYTES_MAX) throw tooLarge(path);
  return { name, text: readFileSync(path, "utf8") };
}

async function readStream(stream: NodeJS.ReadableStream): Promise<string> {
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of stream) {
    const buffer = Buffer.from(part);
    bytes += buffer.length;
    if (bytes > BYTES_MAX) throw tooLarge("standard input");
    parts.push(buffer);
  }
  return Buffer.concat(parts).toString("utf8");
}

function tooLarge(what: string): CommandError {
  return new CommandError("USAGE", `${what} is larger than ${BYTES_MAX / 1024 / 1024} MiB: divide it`);
}
