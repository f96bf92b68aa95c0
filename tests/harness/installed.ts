// The checkout's sensor in a booted systemd: its units, users, settings and command, as a package would put them there.
import { chmodSync, copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { statePaths } from "@nightjar/stage";
import { startProcess, temporaryFolder, waitFor } from "@nightjar/test-support";
import { BootedSystem } from "./booted-system.ts";
import { Sensor } from "./sensor.ts";

type Test = Parameters<typeof temporaryFolder>[0];

export const CHECKOUT = fileURLToPath(new URL("../..", import.meta.url));
export const UNITS = join(CHECKOUT, "deploy/systemd");
const PRODUCT = "/usr/lib/nightjar";
/** From here the product runs in a checkout; all else of it is the package's. */
const PARTS = ["cli", "services", "packages", "native-probe", "node_modules", "proto"];
const PORTAL_TIMEOUT_MS = 60_000;

const LAUNCHER = `#!/bin/sh
PATH=${PRODUCT}/bin:$PATH exec ${PRODUCT}/bin/node --max-semi-space-size=2 ${PRODUCT}/cli/dist/main.js "$@"
`;

/** Boots a system with the checkout's sensor in it, not started yet. `settings` is its settings file. */
export async function bootInstalled(test: Test, settings: string, files: Record<string, string> = {}) {
  const server = [join(CHECKOUT, ".tools/nats-server/nats-server"), "/usr/bin/nats-server", "/usr/sbin/nats-server"];
  const bind: Record<string, string> = { [`${PRODUCT}/bin/node`]: process.execPath };
  for (const part of PARTS) bind[`${PRODUCT}/${part}`] = join(CHECKOUT, part);
  bind[`${PRODUCT}/bin/nats-server`] = server.find(existsSync) ?? "";
  const system = await BootedSystem.boot(test, {
    bind,
    prepare(root) {
      const put = (path: string, contents: string, mode = 0o644) => {
        mkdirSync(dirname(join(root, path)), { recursive: true });
        writeFileSync(join(root, path), contents);
        chmodSync(join(root, path), mode);
      };
      const isUnit = (path: string) => !/254|README/.test(path);
      cpSync(UNITS, join(root, "usr/lib/systemd/system"), { recursive: true, filter: isUnit });
      mkdirSync(join(root, "usr/lib/sysusers.d"), { recursive: true });
      copyFileSync(join(UNITS, "sysusers.conf"), join(root, "usr/lib/sysusers.d/nightjar.conf"));
      copyFileSync(join(UNITS, "tmpfiles.conf"), join(root, "usr/lib/tmpfiles.d/nightjar.conf"));
      put("usr/bin/nightjar", readFileSync(join(CHECKOUT, "deploy/nightjar"), "utf8"), 0o755);
      put(`${PRODUCT}/bin/nightjar`, LAUNCHER, 0o755);
      put("etc/nightjar/nightjar.yaml", settings);
      for (const [path, contents] of Object.entries(files)) put(path, contents);
    },
  });
  system.must("systemd-sysusers /usr/lib/sysusers.d/nightjar.conf");
  system.must("systemd-tmpfiles --create /usr/lib/tmpfiles.d/nightjar.conf");
  return system;
}

/** A portal beside it, on this machine; with what a sensor has to know of it. */
export async function startPortal(test: Test) {
  const stateDir = temporaryFolder(test);
  const main = join(CHECKOUT, "services/portal/dist/main.js");
  const started = startProcess(test, process.execPath, [main], { env: { NIGHTJAR_STATE_DIR: stateDir } });
  await waitFor(() => existsSync(statePaths.portalAddress(stateDir)), {
    what: "the portal is ready",
    timeoutMs: PORTAL_TIMEOUT_MS,
    explain: () => started.stderr,
  });
  const read = (file: string) => readFileSync(file, "utf8").trim();
  return {
    at: new Sensor(stateDir, started),
    address: read(statePaths.portalAddress(stateDir)),
    certificate: read(statePaths.portalCertificate(stateDir)),
    token: read(statePaths.portalToken(stateDir)),
  };
}
