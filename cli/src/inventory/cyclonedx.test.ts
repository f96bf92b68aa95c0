// The SBOM of an inventory is CycloneDX by its schema, and has what running programs have loaded.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Spec, Validation } from "@cyclonedx/cyclonedx-library";
import { type InventoryItem, InventoryItemSchema, Replacement } from "@nightjar/proto";
import test from "ava";
import { type BomOptions, cyclonedx } from "./cyclonedx.ts";

type What = NonNullable<MessageInitShape<typeof InventoryItemSchema>["what"]>;
const item = (id: bigint, what: What): InventoryItem => create(InventoryItemSchema, { id, what });
const bytes = (text: string) => Buffer.from(text);

const dpkg = (name: string, version = "1:2.0-1+b1") => ({ manager: "dpkg", name, version, architecture: "amd64" });
const ITEMS = [
  item(1n, { case: "root", value: { distribution: "debian", distributionVersion: "12" } }),
  item(2n, {
    case: "file",
    value: {
      path: bytes("/usr/lib/libx.so.1"),
      mapped: true,
      contents: { package: dpkg("libx1") },
      replacement: Replacement.REPLACED,
    },
  }),
  item(3n, {
    case: "file",
    value: {
      path: bytes("/opt/tool"),
      executed: true,
      components: [
        { manager: "go", name: "golang.org/x/net", version: "v0.20.0" },
        { manager: "maven", name: "no group", version: "1" },
      ],
    },
  }),
  item(4n, {
    case: "module",
    value: {
      path: bytes("/app/node_modules/@babel/core"),
      package: { manager: "npm", name: "@babel/core", version: "7.24.0" },
    },
  }),
  item(5n, {
    case: "file",
    value: { path: bytes("/usr/bin/idle"), executed: true, contents: { package: dpkg("idle") } },
  }),
  item(6n, { case: "package", value: { package: dpkg("unused") } }),
  item(7n, {
    case: "file",
    value: { root: "image:abc", path: bytes("/lib/libx.so.1"), contents: { package: dpkg("libx1") } },
  }),
  item(9n, { case: "program", value: { file: 3n, running: 1, loaded: [2n, 4n, 7n] } }),
  item(10n, { case: "program", value: { file: 5n, running: 0 } }),
];

const OPTIONS: BomOptions = {
  hostName: "web-1",
  sensorVersion: "0.1.0",
  serialNumber: "3e671687-395b-41f5-a30f-a58921a69b79",
  now: new Date("2030-01-02T03:04:05Z"),
  withInstalled: false,
};

interface Component {
  type: string;
  name: string;
  purl?: string;
  properties?: { name: string; value: string }[];
  evidence?: { occurrences: { location: string }[] };
}

const componentsOf = (options: Partial<BomOptions> = {}) =>
  cyclonedx(ITEMS, { ...OPTIONS, ...options }).components as Component[];

test("it is CycloneDX 1.6 by its schema", async (t) => {
  const validator = new Validation.JsonStrictValidator(Spec.Version.v1dot6);
  for (const items of [ITEMS, []]) {
    for (const withInstalled of [false, true]) {
      const text = JSON.stringify(cyclonedx(items, { ...OPTIONS, withInstalled }));
      t.is(await validator.validate(text), null);
    }
  }
  t.not(await validator.validate(JSON.stringify({ ...cyclonedx(ITEMS, OPTIONS), version: 0 })), null, "it can fail");
});

test("what is loaded is in it, with package URLs and where it was loaded from", (t) => {
  const components = componentsOf();
  t.deepEqual(components.map(({ purl, name }) => purl ?? name).sort(), [
    "debian",
    "no group",
    "pkg:deb/debian/libx1@1:2.0-1+b1?arch=amd64&distro=debian-12",
    "pkg:deb/libx1@1:2.0-1+b1?arch=amd64",
    "pkg:golang/golang.org/x/net@v0.20.0",
    "pkg:npm/%40babel/core@7.24.0",
  ]);
  const library = components.find(({ purl }) => purl?.startsWith("pkg:deb/debian/libx1"));
  t.like(library, { type: "library", evidence: { occurrences: [{ location: "/usr/lib/libx.so.1" }] } });
  t.deepEqual(library?.properties, [
    { name: "nightjar:loaded", value: "true" },
    { name: "nightjar:replaced-on-disk", value: "true" },
  ]);
  t.is(components.find(({ name }) => name === "golang.org/x/net")?.type, "application");
});

test("what is only installed is in it where it is wished", (t) => {
  const loaded = new Map(
    componentsOf({ withInstalled: true }).map(({ name, properties }) => [name, properties?.[0]?.value]),
  );
  t.is(loaded.get("unused"), "false");
  t.is(loaded.get("idle"), "false");
  t.is(loaded.get("@babel/core"), "true");
});
