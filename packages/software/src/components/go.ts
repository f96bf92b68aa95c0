// The modules of a Go program, as its linker writes them into it; Go's debug/buildinfo package describes the form.
import type { Component, ReadAt } from "./component.ts";
import type { Section } from "./elf-sections.ts";

const SECTION = ".go.buildinfo";
const MAGIC = Buffer.from("\xff Go buildinf:", "latin1");
/** Flags in the header: the texts follow it, as they have since Go 1.18; before, it pointed to them. */
const FLAGS_AT = 15;
const INLINE = 2;
const TEXTS_AT = 32;
const INFO_BYTES_MAX = 4 * 1024 * 1024;
/** The list of modules stands between two marks of so many bytes. */
const MARK_BYTES = 16;

/** The modules, and the standard library as "stdlib", which is how OSV names it; none of programs before Go 1.18. */
export function* goModules(sections: ReadonlyMap<string, Section>, read: ReadAt): Generator<Component> {
  const section = sections.get(SECTION);
  if (!section) return;
  const info = read(section.offset, Math.min(section.size, INFO_BYTES_MAX));
  if (!info.subarray(0, MAGIC.length).equals(MAGIC) || ((info[FLAGS_AT] ?? 0) & INLINE) === 0) return;
  const version = textAt(info, TEXTS_AT);
  const modules = textAt(info, version.end).bytes;
  const goVersion = /^go(\d\S*)/.exec(version.bytes.toString())?.[1];
  if (goVersion) yield { manager: "go", name: "stdlib", version: goVersion };
  yield* listed(modules.subarray(MARK_BYTES, -MARK_BYTES).toString());
}

/** Lines "dep\tNAME\tVERSION\tSUM"; one "=>\tNAME\tVERSION\tSUM" after it says what was taken in its place. */
function* listed(text: string): Generator<Component> {
  let pending: Component | undefined;
  for (const line of text.split("\n")) {
    const [kind, name = "", version = ""] = line.split("\t");
    if (kind === "=>") pending = { manager: "go", name, version };
    else if (pending) {
      yield pending;
      pending = undefined;
    }
    // The program's own module has a version only where it was installed as one.
    const isModule = kind === "dep" || (kind === "mod" && version !== "(devel)");
    if (isModule && name !== "" && version !== "") pending = { manager: "go", name, version };
  }
  if (pending) yield pending;
}

/** Texts have their length before them, as a varint. */
function textAt(bytes: Buffer, start: number): { bytes: Buffer; end: number } {
  let [length, shift, at] = [0, 0, start];
  for (let byte = 0x80; byte & 0x80 && shift < 28 && at < bytes.length; shift += 7) {
    byte = bytes[at++] as number;
    length |= (byte & 0x7f) << shift;
  }
  const end = Math.min(at + length, bytes.length);
  return { bytes: bytes.subarray(at, end), end };
}
