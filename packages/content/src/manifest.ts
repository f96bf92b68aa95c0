// What a manifest may say: the rules that whoever publishes, keeps or takes one holds it to.
import type { ContentManifest, ContentPart } from "@nightjar/proto";

/** The layout that this version makes and takes. Another one is for another version of the sensor. */
export const CONTENT_FORMAT = 1;
/** Versions fit the signed numbers of databases. */
export const VERSION_MAX = 2n ** 63n - 1n;
export const MANIFEST_BYTES_MAX = 512 * 1024;
export const CHANNEL_DEFAULT = "stable";
/** The part with the filter that settles most look-ups; what is in it is nothing to content. */
export const INDICATOR_FILTER_PART = "indicators.filter";
/** The part with settings. */
export const SETTINGS_PART = "settings.yaml";

const KIB = 1024;
const MIB = 1024 * KIB;
const PARTS_MAX = 2_000;
const BUNDLE_BYTES_MAX = 512n * BigInt(MIB);
const NAME_CHARS_MAX = 200;
const SHA256_BYTES = 32;

/** Nothing that a file system or a shell takes for more than a name: no "..", no leading dot or dash, no blank. */
const NAME = /^(?:[A-Za-z0-9_][A-Za-z0-9._-]*\/)*[A-Za-z0-9_][A-Za-z0-9._-]*$/;
const CHANNEL = /^[a-z][a-z0-9-]{0,31}$/;
const SENSOR_VERSION = /^(\d{1,5}\.\d{1,5}\.\d{1,5})?$/;

/** Where a part may stand, and how large one may be there. A place that ends in / is a folder. */
const PLACES: readonly (readonly [place: string, bytesMax: number])[] = [
  ["rules/", 4 * MIB],
  ["suppressions/", 4 * MIB],
  ["indicators/", 256 * MIB],
  [INDICATOR_FILTER_PART, 256 * MIB],
  [SETTINGS_PART, 64 * KIB],
];

export function isChannel(text: string): boolean {
  return CHANNEL.test(text);
}

/** What is wrong with a manifest whose format is ours, and what is allowed; undefined where nothing is. */
export function checkManifest({ version, channel, sensorVersionMin, parts }: ContentManifest): string | undefined {
  if (version < 1n || version > VERSION_MAX) return `version: 1 to ${VERSION_MAX}, not ${version}`;
  if (!isChannel(channel)) return "channel: a small letter, then up to 31 of small letters, digits and -";
  if (!SENSOR_VERSION.test(sensorVersionMin)) return 'sensor_version_min: three numbers, such as "0.1.0", or nothing';
  if (parts.length > PARTS_MAX) return `parts: at most ${PARTS_MAX}, not ${parts.length}`;
  const total = parts.reduce((sum, { size }) => sum + size, 0n);
  if (total > BUNDLE_BYTES_MAX) return `parts: at most ${BUNDLE_BYTES_MAX} bytes in all, not ${total}`;
  for (const part of parts) {
    const problem = checkPart(part);
    if (problem) return problem;
  }
  return clash(parts.map(({ name }) => name));
}

function checkPart({ name, size, sha256 }: ContentPart): string | undefined {
  // Checked first, so that a name that is none of ours is not repeated in logs.
  if (name.length > NAME_CHARS_MAX || !NAME.test(name)) {
    return `parts: a name of up to ${NAME_CHARS_MAX} letters, digits, ._- and / between folders`;
  }
  const bytesMax = PLACES.find(([place]) => (place.endsWith("/") ? name.startsWith(place) : name === place))?.[1];
  if (bytesMax === undefined) return `${name}: stands at none of ${PLACES.map(([place]) => place).join(", ")}`;
  if (size > BigInt(bytesMax)) return `${name}: at most ${bytesMax} bytes, not ${size}`;
  if (sha256.length !== SHA256_BYTES) return `${name}: a SHA-256 has ${SHA256_BYTES} bytes, not ${sha256.length}`;
  return undefined;
}

/** No two parts have one name, and none is the folder of another. */
function clash(names: readonly string[]): string | undefined {
  const known = new Set<string>();
  for (const name of names) {
    if (known.has(name)) return `${name}: is there twice`;
    known.add(name);
  }
  for (const name of names) {
    for (let end = name.lastIndexOf("/"); end > 0; end = name.lastIndexOf("/", end - 1)) {
      if (known.has(name.slice(0, end))) return `${name}: ${name.slice(0, end)} is a file already`;
    }
  }
  return undefined;
}
