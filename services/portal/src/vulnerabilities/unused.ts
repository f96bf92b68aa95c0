// Packages of container images of which nothing was used, on any host, while the image was watched.
import { create, fromBinary } from "@bufbuild/protobuf";
import { type ImageUse, ImageUseSchema, type InventoryItem, InventoryItemSchema } from "@nightjar/proto";
import { nsOfTimestamp, timestampOfNs } from "../clock.ts";
import type { Queries } from "../database.ts";

const IMAGE = "image:";
const KINDS = InventoryItemSchema.fields
  .filter(({ localName }) => ["package", "file", "module", "container"].includes(localName))
  .map(({ number }) => number);

/** What is known of an image from all hosts that ran it. */
interface Image {
  names: Set<string>;
  sensors: Set<string>;
  sinceNs: bigint | undefined;
  /** "NAME VERSION" by manager and name. */
  packages: Map<string, string>;
  used: Set<string>;
}

/** By image, those with the most to remove first. `sensorId` "" for all hosts. */
export async function unusedPackages(queries: Queries, sensorId: string): Promise<ImageUse[]> {
  const rows = await queries.query<{ sensor_id: string; item: Uint8Array }>(
    "SELECT sensor_id, item FROM inventory_items WHERE kind = ANY($1::smallint[]) AND ($2 = '' OR sensor_id = $2)",
    [KINDS, sensorId],
  );
  const images = new Map<string, Image>();
  for (const { sensor_id: sensor, item } of rows) note(images, sensor, fromBinary(InventoryItemSchema, item));
  const uses = [...images].map(([root, image]) => useOf(root, image));
  return uses.sort((one, other) => other.unused.length - one.unused.length);
}

function note(images: Map<string, Image>, sensor: string, { what, firstSeenAt }: InventoryItem): void {
  if (what.case !== "package" && what.case !== "file" && what.case !== "module" && what.case !== "container") return;
  const { root } = what.value;
  if (!root.startsWith(IMAGE)) return;
  const image = images.get(root) ?? empty();
  images.set(root, image);
  image.sensors.add(sensor);
  if (what.case === "container") {
    const name = what.value.container?.image ?? "";
    if (name !== "") image.names.add(name);
    const ns = firstSeenAt && nsOfTimestamp(firstSeenAt);
    if (ns !== undefined && (image.sinceNs === undefined || ns < image.sinceNs)) image.sinceNs = ns;
  } else if (what.case === "package") {
    const { package: found } = what.value;
    if (found) image.packages.set(`${found.manager} ${found.name}`, `${found.name} ${found.version}`);
  } else {
    const owners = what.case === "file" ? [what.value.contents?.package] : [what.value.package, what.value.owner];
    for (const owner of owners) if (owner) image.used.add(`${owner.manager} ${owner.name}`);
  }
}

function empty(): Image {
  return { names: new Set(), sensors: new Set(), sinceNs: undefined, packages: new Map(), used: new Set() };
}

function useOf(root: string, { names, sensors, sinceNs, packages, used }: Image): ImageUse {
  const unused = [...packages].filter(([key]) => !used.has(key)).map(([, text]) => text);
  return create(ImageUseSchema, {
    root,
    names: [...names].sort(),
    sensors: sensors.size,
    ...(sinceNs !== undefined && { watchedSince: timestampOfNs(sinceNs) }),
    packages: packages.size,
    unused: unused.sort(),
  });
}
