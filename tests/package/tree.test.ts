// The self-contained build runs on its own: with nothing of the checkout, and no libbpf or libelf on the host.
import { execFileSync, spawnSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { startSensor, whyNoKernel } from "../harness/sensor.ts";
import { buildProduct, whyNoProduct } from "./product.ts";

/** What Node itself is linked with, and so every host has that can run it. */
const LIBRARIES_OF_HOSTS = /^(lib(c|m|dl|pthread|stdc\+\+|gcc_s)\.so\.\d+|ld-linux-.*)$/;
/** Debian 12, Ubuntu 22.04, RHEL 9 and Amazon Linux 2023 have it. */
const GLIBC_NEEDED_MAX = "2.34";
const STARTED_MS_MAX = 30_000;

(whyNoProduct() ? test.skip : test)(
  "its programs and libraries need the host's C and C++ library, and nothing else",
  (t) => {
    const tree = join(buildProduct(t, ["tree"]), "nightjar");
    const facts = JSON.parse(readFileSync(join(tree, "build.json"), "utf8"));
    const programs = readdirSync(tree, { recursive: true, encoding: "utf8" }).filter(
      (path) => path.endsWith(".node") || path === "bin/node" || path === "bin/nats-server",
    );
    t.true(programs.includes("services/collector/dist/nightjar_probe.node"));
    for (const program of programs) {
      const dynamic = execFileSync("readelf", ["--dynamic", "--wide", join(tree, program)], { encoding: "utf8" });
      const needed = [...dynamic.matchAll(/\(NEEDED\).*\[(.+)\]/g)].map(([, name]) => name!);
      t.deepEqual(
        needed.filter((name) => !LIBRARIES_OF_HOSTS.test(name)),
        [],
        program,
      );
    }
    // Built on Debian 12, it asks for no more than that; a newer machine's compiler may.
    if (readFileSync("/etc/os-release", "utf8").includes("VERSION_CODENAME=bookworm")) {
      t.is(facts.glibc_min, GLIBC_NEEDED_MAX);
    }
    t.regex(facts.nats_server, /^\d+\.\d+\.\d+$/);
  },
);

(whyNoProduct() || whyNoKernel() ? test.skip : test)(
  "a sensor runs from it and reports to the portal in it",
  async (t) => {
    const tree = join(buildProduct(t, ["tree"]), "nightjar");
    const sensor = await startSensor(t, { command: join(tree, "bin/nightjar"), env: { PATH: "/usr/bin:/bin" } });
    const statuses = await sensor.statuses();
    const bus = statuses.find(({ stage }) => stage === "bus");
    t.is(bus?.facts.server_binary, join(tree, "bin/nats-server"));
    await waitFor(async () => (await sensor.portal().listSensors({})).sensors.length === 1, {
      what: "the portal has seen a heartbeat",
      timeoutMs: STARTED_MS_MAX,
    });
    const asked = spawnSync(join(tree, "bin/nightjar"), ["status", "--state-dir", sensor.stateDir], {
      encoding: "utf8",
    });
    t.is(asked.status, 0, asked.stderr);
  },
);
