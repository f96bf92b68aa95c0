// The Maven packages in a jar: its own, those that were put into it, and those in the jars that lie in it.
import type { Component, ReadAt } from "./component.ts";
import { readZipEntry, type ZipEntry, zipEntries } from "./zip.ts";

/** Maven writes it into each jar that it builds, with the package's coordinates. */
const PROPERTIES = /^META-INF\/maven\/[^/]+\/[^/]+\/pom\.properties$/;
const MANIFEST = "META-INF/MANIFEST.MF";
/** As Spring Boot, WildFly and web archives have them. */
const INNER = /^(?:[^/]+\/)*[^/]+\.[jwe]ar$/;
const TEXT_BYTES_MAX = 1024 * 1024;
const INNER_BYTES_MAX = 64 * 1024 * 1024;
const INNER_JARS_MAX = 1_000;

/** What is known of an archive without Maven's properties: what its manifest says, which is less sure. */
export function* jarPackages(read: ReadAt, sizeBytes: number): Generator<Component> {
  const entries = [...zipEntries(read, sizeBytes)];
  const own = [...packagesIn(read, entries)];
  yield* own.length > 0 ? own : fromManifest(read, entries);
  for (const entry of entries.filter(({ name }) => INNER.test(name)).slice(0, INNER_JARS_MAX)) {
    const inner = readZipEntry(read, entry, INNER_BYTES_MAX);
    if (!inner) continue;
    const readInner: ReadAt = (offset, length) => inner.subarray(offset, offset + length);
    const innerEntries = [...zipEntries(readInner, inner.length)];
    const found = [...packagesIn(readInner, innerEntries)];
    yield* found.length > 0 ? found : fromManifest(readInner, innerEntries);
  }
}

function* packagesIn(read: ReadAt, entries: readonly ZipEntry[]): Generator<Component> {
  for (const entry of entries) {
    if (!PROPERTIES.test(entry.name)) continue;
    const text = readZipEntry(read, entry, TEXT_BYTES_MAX)?.toString() ?? "";
    const value = (key: string) => new RegExp(`^${key}=(.*?)\\r?$`, "m").exec(text)?.[1]?.trim() ?? "";
    const [group, artifact, version] = [value("groupId"), value("artifactId"), value("version")];
    if (group !== "" && artifact !== "" && version !== "") {
      yield { manager: "maven", name: `${group}:${artifact}`, version };
    }
  }
}

/** OSGi's names are the group and the artifact in one; the version may have a qualifier more than Maven's. */
function* fromManifest(read: ReadAt, entries: readonly ZipEntry[]): Generator<Component> {
  const entry = entries.find(({ name }) => name === MANIFEST);
  const text = (entry && readZipEntry(read, entry, TEXT_BYTES_MAX)?.toString()) ?? "";
  // Long lines go on in the next one, after a space.
  const lines = text.replaceAll(/\r?\n /g, "");
  const value = (key: string) => new RegExp(`^${key}:\\s*([^;\\r\\n]*)`, "m").exec(lines)?.[1]?.trim() ?? "";
  const name = value("Automatic-Module-Name") || value("Bundle-SymbolicName") || value("Implementation-Title");
  const version = value("Implementation-Version") || value("Bundle-Version");
  if (name !== "" && version !== "") yield { manager: "maven", name, version };
}
