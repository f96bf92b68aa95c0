// What the uplink remembers of the host's health over its own death: a JSON file, written whole or not at all.
import { existsSync, renameSync } from "node:fs";
import { fromJson, type JsonValue, toJson } from "@bufbuild/protobuf";
import { HealthIssueSchema } from "@nightjar/proto";
import { readSmallFile, writeFileAtomic } from "@nightjar/stage";
import type { Entry } from "./journal.ts";

interface StoredEntry {
  issue: JsonValue;
  instance: string;
  confirmed: string;
  revisedAtMs: number;
}

/** What `parse` makes of the file; undefined where there is none. One that is no such file is put aside and told. */
export function readState<State>(
  file: string,
  parse: (value: unknown) => State,
  broken: (movedTo: string, error: unknown) => void,
): State | undefined {
  if (!existsSync(file)) return undefined;
  try {
    return parse(JSON.parse(readSmallFile(file) ?? ""));
  } catch (error) {
    const movedTo = `${file}.broken`;
    renameSync(file, movedTo);
    broken(movedTo, error);
    return undefined;
  }
}

export function writeState(file: string, state: unknown): void {
  writeFileAtomic(file, `${JSON.stringify(state)}\n`);
}

export function entriesToJson(entries: readonly Entry[]): StoredEntry[] {
  return entries.map(({ issue, instance, confirmed, revisedAtMs }) => ({
    issue: toJson(HealthIssueSchema, issue),
    instance,
    confirmed: String(confirmed),
    revisedAtMs,
  }));
}

/** Throws where it is not what `entriesToJson` made. */
export function entriesFromJson(value: unknown): Entry[] {
  return (value as StoredEntry[]).map(({ issue, instance, confirmed, revisedAtMs }) => ({
    issue: fromJson(HealthIssueSchema, issue, { ignoreUnknownFields: true }),
    instance,
    confirmed: BigInt(confirmed),
    revisedAtMs,
  }));
}
