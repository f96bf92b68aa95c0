// Tests those runtimes of which files tell: runc's and crun's state, containers/storage, LXC, systemd-machined.
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { startProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import type { RuntimeKind } from "../runtime.ts";
import { containersStorage } from "./containers-storage.ts";
import { lxc } from "./lxc.ts";
import { nspawn } from "./nspawn.ts";
import { ociState } from "./oci-state.ts";

const ID = "5a".repeat(32);
const SPEC = {
  annotations: { "org.opencontainers.image.ref.name": "localhost/shop:7" },
  process: { capabilities: { bounding: ["CAP_KILL"] } },
};

function write(folder: string, files: Record<string, unknown>): void {
  for (const [path, contents] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), typeof contents === "string" ? contents : JSON.stringify(contents));
  }
}

function inspect(kind: RuntimeKind, folder: string, id: string) {
  const query = { id, runtime: "", podUid: "", pid: 0 };
  return kind.open(folder, { environment: false }).inspect(query, AbortSignal.timeout(10_000));
}

test("runc's state leads to the bundle", async (t) => {
  const folder = temporaryFolder(t);
  const labels = [`bundle=${folder}/bundle`, "other=1"];
  write(folder, {
    [`${ID}/state.json`]: { id: ID, created: "2026-03-01T10:00:00Z", config: { labels } },
    "bundle/config.json": SPEC,
  });
  t.like(await inspect(ociState, folder, ID), {
    runtime: "runc",
    name: ID,
    image: "localhost/shop:7",
    imageTag: "7",
    capabilities: ["CAP_KILL"],
    createdTimeNs: 1_772_359_200_000_000_000n,
  });
});

test("before there is a state, who makes the container tells of the bundle", async (t) => {
  const folder = temporaryFolder(t);
  write(folder, { "bundle/config.json": SPEC, [`${ID}/exec.fifo`]: "" });
  t.is(await inspect(ociState, folder, ID), undefined);
  startProcess(t, "sh", ["-c", "read line", "run", "--bundle", `${folder}/bundle`, ID]);
  const told = await waitFor(() => inspect(ociState, folder, ID), { what: "the bundle is found" });
  t.is(told.image, "localhost/shop:7");
});

test("crun keeps the specification beside its state", async (t) => {
  const folder = temporaryFolder(t);
  const state = { pid: 7, bundle: `${folder}/bundle`, created: "2026-03-01T10:00:00Z" };
  write(folder, {
    "web/status": state,
    "web/config.json": SPEC,
    "bundle/config.json": { annotations: {} },
    "bare/status": state,
  });
  t.like(await inspect(ociState, folder, "web"), { runtime: "crun", image: "localhost/shop:7" });
  t.like(await inspect(ociState, folder, "bare"), { runtime: "crun", image: "" });
});

test("storage tells name and image of what stays and of what goes with --rm", async (t) => {
  const folder = temporaryFolder(t);
  const entry = (id: string, name: string) => ({
    id,
    image: "1d".repeat(32),
    metadata: JSON.stringify({ "image-name": "docker.io/library/nginx:1.27", name }),
    created: "2026-03-01T10:00:00Z",
  });
  const lists = "overlay-containers";
  write(folder, {
    [`${lists}/containers.json`]: [entry(ID, "web")],
    [`${lists}/volatile-containers.json`]: [entry("6b".repeat(32), "once")],
    [`${lists}/${ID}/userdata/config.json`]: SPEC,
  });
  t.like(await inspect(containersStorage, folder, ID), {
    name: "web",
    imageRepository: "docker.io/library/nginx",
    imageId: `sha256:${"1d".repeat(32)}`,
    capabilities: ["CAP_KILL"],
  });
  t.like(await inspect(containersStorage, folder, "6b".repeat(32)), { name: "once", capabilities: [] });
});

test("LXC's configuration tells what it was made from and what of the host it has", async (t) => {
  const folder = temporaryFolder(t);
  const configuration = `# Template used to create this container: /usr/share/lxc/templates/lxc-download
# Parameters passed to the template: --dist debian --release bookworm --arch amd64
lxc.include = /usr/share/lxc/config/common.conf
lxc.mount.entry = /srv/data data none bind,ro,create=dir 0 0
lxc.net.0.ipv4.address = 10.0.3.7/24
`;
  write(folder, { "web/config": configuration, "mapped/config": "lxc.idmap = u 0 100000 65536\n" });
  const told = await inspect(lxc, folder, "web");
  t.like(told, { runtime: "lxc", image: "debian:bookworm", imageTag: "bookworm", privileged: true, ip: "10.0.3.7" });
  t.like(told?.mounts[0], { source: "/srv/data", destination: "/data", writable: false });
  t.false((await inspect(lxc, folder, "mapped"))?.privileged);
});

test("machined tells of containers, not of virtual machines", async (t) => {
  const folder = temporaryFolder(t);
  const machine = (kind: string) =>
    `# private\nNAME=web\nCLASS=${kind}\nROOT=/var/lib/machines/web\nREALTIME=1772359200000000\n`;
  write(folder, { web: machine("container"), vm: machine("vm") });
  t.like(await inspect(nspawn, folder, "web"), {
    name: "web",
    runtime: "systemd-nspawn",
    image: "/var/lib/machines/web",
    startedTimeNs: 1_772_359_200_000_000_000n,
  });
  t.is(await inspect(nspawn, folder, "vm"), undefined);
});

test("what is not there, half written, or a way out of the folder is no container", async (t) => {
  const folder = temporaryFolder(t);
  write(folder, { "half/state.json": '{"id":', "overlay-containers/containers.json": "[{", "x/folder/status": "{}" });
  for (const kind of [ociState, containersStorage, lxc, nspawn]) {
    for (const id of ["gone", "half", "../x/folder", "..", "x/folder", "a\0b", ""]) {
      t.is(await inspect(kind, folder, id), undefined, `${kind.name} ${id}`);
    }
  }
});

test("a folder tells what comes", async (t) => {
  const folder = temporaryFolder(t);
  const heard: string[] = [];
  const stop = new AbortController();
  const watching = ociState.open(folder, { environment: false }).watch?.((id) => heard.push(id), stop.signal);
  mkdirSync(join(folder, "web"));
  await waitFor(() => heard.includes("web"), { what: "the container is heard of" });
  stop.abort();
  await watching;
  t.pass();
});
