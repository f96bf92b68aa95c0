// From an inventory and advisories to findings: what is loaded, what is only installed, what runs although upgraded.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import {
  Exposure,
  type Finding,
  FindingState,
  type InventoryItem,
  InventoryItemSchema,
  type PortItemSchema,
  type ProgramItemSchema,
} from "@nightjar/proto";
import test from "ava";
import { readAdvisories } from "../osv/read.ts";
import { SAMPLE } from "../osv/sample.fixture.ts";
import { candidatesOf } from "./candidates.ts";
import { findingsOf, rankOf } from "./findings.ts";
import { Host } from "./host.ts";

const OLD = "3.0.11-1~deb12u1";
const FIXED = "3.0.15-1~deb12u1";
const [LIBRARY, OTHER, SERVER, PORT, MODULE, BINARY] = [1n, 2n, 10n, 20n, 30n, 40n];
const bytes = (text: string) => Buffer.from(text);

type What = NonNullable<MessageInitShape<typeof InventoryItemSchema>["what"]>;
const item = (id: bigint, what: What): InventoryItem => create(InventoryItemSchema, { id, what });

const root = item(99n, { case: "root", value: { name: "", distribution: "debian", distributionVersion: "12" } });

const installed = (name: string, version: string) =>
  item(50n, {
    case: "package",
    value: {
      package: { manager: "dpkg", name, version, architecture: "amd64" },
      ...(name === "libssl3" && { sourceName: "openssl", sourceVersion: version }),
    },
  });

const library = (id: bigint, version: string, path = "/usr/lib/libssl.so.3") =>
  item(id, {
    case: "file",
    value: {
      path: bytes(path),
      mapped: true,
      contents: { package: { manager: "dpkg", name: "libssl3", version, architecture: "amd64" } },
    },
  });

const program = (id: bigint, loaded: bigint[], more: MessageInitShape<typeof ProgramItemSchema> = {}) =>
  item(id, {
    case: "program",
    value: {
      file: 5n,
      path: bytes("/usr/sbin/server"),
      uid: 33,
      running: 1,
      processes: [{ pid: 42 }],
      loaded,
      ...more,
    },
  });

const port = (address: number[], more: MessageInitShape<typeof PortItemSchema> = {}) =>
  item(PORT, { case: "port", value: { protocol: 6, port: 443, address: new Uint8Array(address), ...more } });

function found(items: readonly InventoryItem[], records: readonly unknown[] = Object.values(SAMPLE)): Finding[] {
  const { advisories } = readAdvisories(JSON.stringify(records));
  const host = new Host(items);
  return findingsOf(host, candidatesOf(host), () => advisories);
}

test("installed, loaded, and from where it is reached", (t) => {
  const base = [root, installed("libssl3", OLD), library(LIBRARY, OLD)];
  const listening = { listening: [PORT] };
  const cases: [InventoryItem[], FindingState, Exposure, boolean][] = [
    [[], FindingState.INSTALLED, Exposure.NOT_LOADED, false],
    [[program(SERVER, [LIBRARY], { running: 0 })], FindingState.INSTALLED, Exposure.NOT_LOADED, false],
    [[program(SERVER, [OTHER])], FindingState.INSTALLED, Exposure.NOT_LOADED, false],
    [[program(SERVER, [LIBRARY])], FindingState.LOADED, Exposure.LOADED, false],
    [[program(SERVER, [LIBRARY], { uid: 0 })], FindingState.LOADED, Exposure.LOADED, true],
    [[program(SERVER, [LIBRARY], listening), port([127, 0, 0, 2])], FindingState.LOADED, Exposure.LOCAL, false],
    [[program(SERVER, [LIBRARY], listening), port([0, 0, 0, 0])], FindingState.LOADED, Exposure.NETWORK, false],
    [
      [program(SERVER, [LIBRARY], listening), port([0, 0, 0, 0], { closed: true })],
      FindingState.LOADED,
      Exposure.LOADED,
      false,
    ],
    [
      [program(SERVER, [LIBRARY], listening), port([...Array(15).fill(0), 1])],
      FindingState.LOADED,
      Exposure.LOCAL,
      false,
    ],
  ];
  const ranks = new Set<number>();
  for (const [more, state, exposure, runsAsRoot] of cases) {
    const [finding, ...others] = found([...base, ...more]);
    t.deepEqual(others, []);
    t.like(finding, { advisoryId: "DEBIAN-CVE-2030-0001", fixedVersion: FIXED, state, exposure, runsAsRoot });
    t.is(finding?.package?.name, "libssl3");
    if (finding) ranks.add(rankOf(finding));
  }
  // Not loaded, loaded, as root, local, from the network.
  t.is(ranks.size, 5);
});

test("the evidence says who has it loaded and how it is reached", (t) => {
  const server = { unit: "server.service", userName: "www-data", listening: [PORT], running: 3 };
  const items = [root, installed("libssl3", OLD), library(LIBRARY, OLD), program(SERVER, [LIBRARY], server)];
  const [finding] = found([
    ...items,
    program(11n, [LIBRARY], { path: bytes("/bin/tool") }),
    port([...Array(16).fill(0)]),
  ]);
  t.is(finding?.programs, 2);
  t.deepEqual(
    finding?.evidence.map(({ program: path }) => Buffer.from(path).toString()),
    ["/usr/sbin/server", "/bin/tool"],
  );
  t.like(finding?.evidence[0], {
    uid: 33,
    unit: "server.service",
    pids: [42],
    running: 3,
    listening: ["tcp [::]:443"],
  });
  t.deepEqual(finding?.paths.map(String), [bytes("/usr/lib/libssl.so.3")].map(String));
});

test("upgraded, and a process still runs what was before", (t) => {
  const upgraded = [root, installed("libssl3", FIXED), library(LIBRARY, OLD), library(OTHER, FIXED)];
  const [finding, ...others] = found([...upgraded, program(SERVER, [LIBRARY])]);
  t.deepEqual(others, []);
  t.like(finding, { state: FindingState.STALE, exposure: Exposure.LOADED, fixedVersion: FIXED });
  t.is(finding?.package?.version, OLD);
  t.deepEqual(found([...upgraded, program(SERVER, [OTHER])]), [], "it was restarted");
  const affectedStill = [
    root,
    installed("libssl3", "3.0.14-1~deb12u2"),
    library(LIBRARY, OLD),
    program(SERVER, [LIBRARY]),
  ];
  t.like(found(affectedStill)[0], { state: FindingState.LOADED, package: { version: "3.0.14-1~deb12u2" } });
  const before = found([root, installed("libssl3", OLD), library(LIBRARY, OLD), program(SERVER, [LIBRARY])]);
  t.is(before[0]?.id, finding?.id, "it is the same finding");
});

test("packages of languages count where no distribution answers for them", (t) => {
  const module = (path: string, owner?: "dpkg") =>
    item(MODULE, {
      case: "module",
      value: {
        language: "python",
        path: bytes(path),
        package: { manager: "pypi", name: "some.package", version: "1.2" },
        ...(owner && { owner: { manager: owner, name: "python3-some", version: "1.2-1" } }),
      },
    });
  const local = "/usr/local/lib/python3.11/dist-packages/some_package";
  t.like(found([module(local), program(SERVER, [MODULE])])[0], {
    state: FindingState.LOADED,
    advisoryId: "PYSEC-2030-4",
  });
  t.like(found([module(local)])[0], { state: FindingState.INSTALLED });
  t.deepEqual(found([module(local, "dpkg"), program(SERVER, [MODULE])]), []);
  const listed = (location: string) =>
    item(51n, {
      case: "package",
      value: { package: { manager: "pypi", name: "some-package", version: "1.2" }, location: bytes(location) },
    });
  t.is(found([listed(`${local}-1.2.dist-info`)]).length, 1);
  t.deepEqual(found([listed("/usr/lib/python3/dist-packages/some_package-1.2.egg-info")]), []);
});

test("what a file is made of counts, unless a package has the file", (t) => {
  const record = {
    id: "GO-2030-5",
    affected: [
      {
        package: { ecosystem: "Go", name: "stdlib" },
        ranges: [{ type: "SEMVER", events: [{ introduced: "0" }, { fixed: "1.22.5" }] }],
      },
    ],
  };
  const components = [{ manager: "go", name: "stdlib", version: "1.22.1" }];
  const binary = (contents?: { package: { manager: string; name: string } }) =>
    item(BINARY, {
      case: "file",
      value: { path: bytes("/opt/tool"), executed: true, components, ...(contents && { contents }) },
    });
  t.like(found([binary(), program(SERVER, [], { file: BINARY })], [record])[0], {
    state: FindingState.LOADED,
    fixedVersion: "1.22.5",
  });
  t.deepEqual(found([binary({ package: { manager: "dpkg", name: "tool" } })], [record]), []);
});

test("of advisories that tell of the same, those count that tell it singly", (t) => {
  const [affected] = SAMPLE.debian.affected;
  const notice = { id: "DSA-1-1", upstream: ["CVE-2030-0001", "CVE-2030-0009"], affected: [affected] };
  const other = { id: "DEBIAN-CVE-2030-0009", upstream: ["CVE-2030-0009"], affected: [affected] };
  const items = [root, installed("libssl3", OLD)];
  const ids = (records: readonly unknown[]) =>
    found(items, records)
      .map(({ advisoryId }) => advisoryId)
      .sort();
  t.deepEqual(ids([notice, SAMPLE.debian, other]), ["DEBIAN-CVE-2030-0001", "DEBIAN-CVE-2030-0009"]);
  t.deepEqual(ids([notice, other]), ["DEBIAN-CVE-2030-0009", "DSA-1-1"]);
});

test("what is unknown here is no finding", (t) => {
  t.deepEqual(found([installed("libssl3", OLD)]), [], "no distribution");
  t.deepEqual(found([root, installed("libssl3", "9")]), []);
  t.deepEqual(found([root, installed("unheard-of", "1")]), []);
  t.deepEqual(found([]), []);
});
