// The crates of a Rust program that was built with cargo-auditable: JSON, compressed, in a section of its own
// (cargo-auditable's PARSING.md).
import { inflateSync } from "node:zlib";
import type { Component, ReadAt } from "./component.ts";
import type { Section } from "./elf-sections.ts";

const SECTION = ".dep-v0";
const COMPRESSED_BYTES_MAX = 4 * 1024 * 1024;
const JSON_BYTES_MAX = 32 * 1024 * 1024;

interface Crate {
  name?: unknown;
  version?: unknown;
  source?: unknown;
  kind?: unknown;
}

/** The crates from crates.io that run; not those that only took part in the building. */
export function* rustCrates(sections: ReadonlyMap<string, Section>, read: ReadAt): Generator<Component> {
  const section = sections.get(SECTION);
  if (!section || section.size > COMPRESSED_BYTES_MAX) return;
  for (const { name, version, source, kind } of cratesIn(read(section.offset, section.size))) {
    const isRun = kind === undefined || kind === "runtime";
    if (!isRun || source !== "crates.io" || typeof name !== "string" || typeof version !== "string") continue;
    yield { manager: "cargo", name, version };
  }
}

function cratesIn(compressed: Buffer): readonly Crate[] {
  let parsed: { packages?: unknown } | null;
  try {
    parsed = JSON.parse(inflateSync(compressed, { maxOutputLength: JSON_BYTES_MAX }).toString());
  } catch {
    return [];
  }
  const packages = parsed?.packages;
  return Array.isArray(packages) ? packages.filter((one) => typeof one === "object" && one !== null) : [];
}
