// Findings at the portal: they open, change and close as inventories and advisories do.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampMs } from "@bufbuild/protobuf/wkt";
import {
  AdvisorySchema,
  Exposure,
  type Finding,
  FindingState,
  InventoryDeltaSchema,
  type InventoryItem,
  InventoryItemSchema,
} from "@nightjar/proto";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import type { Portal } from "../portal.ts";
import { clientsOf, freshStateDir, makeTemplate, randomId, remove, startTestPortal } from "../testing.ts";

const OLD = "3.0.11-1";
const FIXED = "3.0.15-1";
const [ROOT, PACKAGE, OLD_LIBRARY, LIBRARY, SERVER, PORT] = [1n, 2n, 3n, 4n, 5n, 6n];
const EPOCH = 77n;

let template: string;
let stateDir: string;
let portal: Portal;
let nowMs = Date.now();

test.before(async () => {
  template = await makeTemplate();
  stateDir = freshStateDir(template);
  portal = await startTestPortal(stateDir, { clock: () => nowMs });
});

test.after.always(async () => {
  await portal.close();
  remove(stateDir);
  remove(template);
});

type What = NonNullable<MessageInitShape<typeof InventoryItemSchema>["what"]>;

/** A host whose inventory a test changes. */
class Sensor {
  readonly id = randomId();
  #revision = 0n;

  async tell(items: readonly [id: bigint, what: What][], gone: bigint[] = []): Promise<void> {
    const [fromRevision, toRevision] = [this.#revision, this.#revision + 1n];
    this.#revision = toRevision;
    const told: InventoryItem[] = items.map(([id, what]) =>
      create(InventoryItemSchema, { id, revision: toRevision, what }),
    );
    const delta = create(InventoryDeltaSchema, { epoch: EPOCH, fromRevision, toRevision, parts: 1, items: told, gone });
    const { wantsSnapshot } = await clientsOf(stateDir).inventories.sendInventory({ sensorId: this.id, delta });
    if (wantsSnapshot) throw new Error("the delta was not taken");
  }

  async findings(withClosed = false): Promise<Finding[]> {
    return (await clientsOf(stateDir).findings.listFindings({ sensorId: this.id, withClosed })).findings;
  }

  /** The one finding, when it is as it is to be. */
  async until(what: string, is: (finding: Finding | undefined) => boolean, withClosed = false) {
    const all = await waitFor(
      async () => {
        const found = await this.findings(withClosed);
        return found.length <= 1 && is(found[0]) ? found : undefined;
      },
      { what, timeoutMs: 30_000 },
    );
    return all[0];
  }
}

const root: [bigint, What] = [ROOT, { case: "root", value: { distribution: "debian", distributionVersion: "12" } }];
const libssl = (version: string) => ({ manager: "dpkg", name: "libssl3", version, architecture: "amd64" });
const installed = (name: string, version: string): [bigint, What] => [
  PACKAGE,
  { case: "package", value: { package: libssl(version), sourceName: name, sourceVersion: version } },
];
const library = (id: bigint, version: string): [bigint, What] => [
  id,
  {
    case: "file",
    value: { path: Buffer.from("/usr/lib/libssl.so.3"), mapped: true, contents: { package: libssl(version) } },
  },
];
const server = (loaded: bigint[]): [bigint, What] => [
  SERVER,
  {
    case: "program",
    value: {
      path: Buffer.from("/usr/sbin/server"),
      running: loaded.length,
      loaded,
      listening: [PORT],
      processes: [{ pid: 7 }],
    },
  },
];
const port: [bigint, What] = [PORT, { case: "port", value: { protocol: 6, port: 443, address: new Uint8Array(4) } }];

/** A name of a package that no other test has an advisory of. */
async function advise(source: string): Promise<{ name: string; id: string }> {
  const [name, id] = [`source-${randomId()}`, `TEST-${randomId()}`];
  const affected = [{ ecosystem: "Debian:12", name, intervals: [{ introduced: "0", fixed: FIXED }] }];
  const advisories = [create(AdvisorySchema, { id, aliases: ["CVE-2030-1"], severityScore: 7.5, affected })];
  await clientsOf(stateDir).advisories.importAdvisories({ importId: randomId(), source, advisories });
  return { name, id };
}

test("a finding follows the host from installed to loaded, upgraded, restarted", async (t) => {
  const { name, id } = await advise("life");
  const sensor = new Sensor();
  await sensor.tell([root, installed(name, OLD)]);
  const first = await sensor.until("it is installed", (one) => one?.state === FindingState.INSTALLED);
  t.like(first, { advisoryId: id, exposure: Exposure.NOT_LOADED, fixedVersion: FIXED, sensorId: sensor.id });
  nowMs += 1_000;
  await sensor.tell([library(OLD_LIBRARY, OLD), server([OLD_LIBRARY]), port]);
  const loaded = await sensor.until("it is loaded", (one) => one?.state === FindingState.LOADED);
  t.is(loaded?.exposure, Exposure.NETWORK);
  t.like(loaded?.evidence[0], { pids: [7], listening: ["tcp 0.0.0.0:443"] });
  t.deepEqual(loaded?.openedAt, first?.openedAt, "it is open since then");
  t.is(timestampMs(loaded!.changedAt!) - timestampMs(first!.changedAt!), 1_000);
  await sensor.tell([installed(name, FIXED), library(LIBRARY, FIXED)]);
  const stale = await sensor.until("it still runs", (one) => one?.state === FindingState.STALE);
  t.is(stale?.package?.version, OLD);
  t.is(stale?.id, first?.id);
  await sensor.tell([server([LIBRARY])]);
  await sensor.until("it is closed", (one) => one === undefined);
  const closed = await sensor.until("it is kept", (one) => one?.closedAt !== undefined, true);
  t.is(closed?.state, FindingState.STALE);
  nowMs += 1_000;
  await sensor.tell([installed(name, OLD)]);
  const again = await sensor.until("it is open again", (one) => one !== undefined);
  t.is(again?.id, first?.id);
  t.true(timestampMs(again!.openedAt!) > timestampMs(closed!.closedAt!));
});

test("an advisory that comes later, and goes, opens and closes findings", async (t) => {
  const sensor = new Sensor();
  const name = `source-${randomId()}`;
  await sensor.tell([root, installed(name, OLD)]);
  const affected = [{ ecosystem: "Debian:12", name, intervals: [{ introduced: "0" }] }];
  const advisories = [create(AdvisorySchema, { id: `TEST-${randomId()}`, affected })];
  const client = clientsOf(stateDir).advisories;
  await client.importAdvisories({ importId: randomId(), source: "late", advisories });
  const found = await sensor.until("it is found", (one) => one !== undefined);
  t.is(found?.fixedVersion, "");
  await client.removeAdvisories({ source: "late" });
  await sensor.until("it is closed", (one) => one === undefined);
});

test("those that are reached most easily come first, page by page", async (t) => {
  const { name } = await advise("order");
  const { name: other } = await advise("order");
  const sensor = new Sensor();
  const [openssl, zlib] = [libssl(OLD), { ...libssl(OLD), name: "zlib1g" }];
  const zlibInstalled: [bigint, What] = [
    9n,
    { case: "package", value: { package: zlib, sourceName: other, sourceVersion: OLD } },
  ];
  await sensor.tell([root, installed(name, OLD), zlibInstalled, library(LIBRARY, OLD), server([LIBRARY])]);
  const client = clientsOf(stateDir).findings;
  await waitFor(async () => (await sensor.findings()).length === 2, { what: "both are found", timeoutMs: 30_000 });
  const names: (string | undefined)[] = [];
  for (let after: Uint8Array = new Uint8Array(); ; ) {
    const { findings, next } = await client.listFindings({ sensorId: sensor.id, limit: 1, after });
    names.push(...findings.map((one) => one.package?.name));
    if (next.length === 0) break;
    after = next;
  }
  t.deepEqual(names, [openssl.name, zlib.name]);
  const { findings } = await client.listFindings({ sensorId: sensor.id, states: [FindingState.INSTALLED] });
  t.deepEqual(
    findings.map((one) => one.package?.name),
    [zlib.name],
  );
  t.is((await client.listFindings({ sensorId: sensor.id, advisory: "CVE-2030-1" })).findings.length, 2);
  t.is((await client.listFindings({ sensorId: sensor.id, advisory: "CVE-2030-2" })).findings.length, 0);
  await t.throwsAsync(client.listFindings({ after: Buffer.from("{}") }), { message: /after/ });
});

test("of an image those packages are told of which nothing was used, on any host", async (t) => {
  const image = `image:${randomId()}`;
  const named = (name: string) => ({ manager: "dpkg", name, version: "1", architecture: "amd64" });
  const has = (id: bigint, name: string): [bigint, What] => [
    id,
    { case: "package", value: { root: image, package: named(name) } },
  ];
  const used = (id: bigint, name: string): [bigint, What] => [
    id,
    { case: "file", value: { root: image, contents: { package: named(name) } } },
  ];
  const container: [bigint, What] = [
    30n,
    { case: "container", value: { root: image, container: { image: "nginx:1.27" } } },
  ];
  const all = [has(10n, "nginx"), has(11n, "perl"), has(12n, "bash"), has(13n, "libc6")];
  const [one, other] = [new Sensor(), new Sensor()];
  await one.tell([container, ...all, used(20n, "nginx")]);
  await other.tell([...all, used(21n, "libc6")]);
  const client = clientsOf(stateDir).findings;
  const find = async (sensorId = "") =>
    (await client.listUnusedPackages({ sensorId })).images.find(({ root: of }) => of === image);
  t.like(await find(), { names: ["nginx:1.27"], sensors: 2, packages: 4, unused: ["bash 1", "perl 1"] });
  t.like(await find(one.id), { sensors: 1, unused: ["bash 1", "libc6 1", "perl 1"] });
});
