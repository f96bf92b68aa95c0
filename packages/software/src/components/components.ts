// Of what a file says that it is made of: Go's build information, Rust's audit section, what is in a jar.
import { COMPONENTS_MAX, type Component, type ReadAt } from "./component.ts";
import { readSections } from "./elf-sections.ts";
import { goModules } from "./go.ts";
import { jarPackages } from "./jar.ts";
import { rustCrates } from "./rust.ts";
import { ZIP_MAGIC } from "./zip.ts";

const ELF_MAGIC = 0x7f454c46;

/**
 * The packages that are built into an executable or lie in an archive, each once; none where the file does not say.
 * Damaged files tell less, and nothing is thrown but what `read` throws. `sizeBytes` is the file's.
 */
export function componentsOf(read: ReadAt, sizeBytes: number): Component[] {
  const head = read(0, 4);
  const magic = head.length < 4 ? 0 : head.readUInt32BE(0);
  if (magic === ZIP_MAGIC) return distinct(jarPackages(read, sizeBytes));
  if (magic !== ELF_MAGIC) return [];
  const sections = readSections(read);
  return distinct([...goModules(sections, read), ...rustCrates(sections, read)]);
}

function distinct(found: Iterable<Component>): Component[] {
  const byKey = new Map<string, Component>();
  for (const one of found) {
    if (byKey.size >= COMPONENTS_MAX) break;
    byKey.set(`${one.manager} ${one.name} ${one.version}`, one);
  }
  return [...byKey.values()];
}
