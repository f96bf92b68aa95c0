// The Debian package in a booted systemd: installed, configured, started, upgraded, removed, purged.
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { BootedSystem, whyNoSystemd } from "../harness/booted-system.ts";
import { startPortal } from "../harness/installed.ts";
import { whyNoKernel } from "../harness/sensor.ts";
import { runningStages, STAGES, settingsFor } from "./installed-product.ts";
import { buildProduct, packageIn, whyNoProduct } from "./product.ts";

const STARTED_MS_MAX = 120_000;
const NEXT_VERSION = "999.1";
/** Files, users and groups that are named after the product; the machine itself may have some. */
const TRACES = [
  "find /etc /usr /var /run /opt -xdev -iname '*nightjar*' -not -path '*/journal/*' | sort",
  "getent passwd | grep nightjar || true",
  "getent group | grep nightjar || true",
].join("; ");

/** The same package as the next version, packed without compressing it. */
function nextVersion(folder: string): string {
  const [unpacked, path] = [join(folder, "next"), join(folder, "next.deb")];
  execFileSync("dpkg-deb", ["-R", packageIn(folder, ".deb"), unpacked]);
  const control = join(unpacked, "DEBIAN/control");
  writeFileSync(control, readFileSync(control, "utf8").replace(/^Version: .*$/m, `Version: ${NEXT_VERSION}`));
  execFileSync("dpkg-deb", ["--root-owner-group", "-Znone", "-b", unpacked, path], { stdio: "ignore" });
  return path;
}

const why = whyNoProduct() ?? whyNoSystemd() ?? whyNoKernel();
(why ? test.skip : test)("installed, started, upgraded, purged: the portal sees it, and nothing is left", async (t) => {
  const folder = buildProduct(t, ["deb"]);
  nextVersion(folder);
  const portal = await startPortal(t);
  const system = await BootedSystem.boot(t, { bind: { "/product": folder } });

  const untouched = system.must(TRACES);
  system.must(`dpkg -i ${packageIn(folder, ".deb").replace(folder, "/product")}`);
  t.regex(system.must("getent passwd"), /^nightjar-collector:/m);
  t.is(system.must("stat -c '%a %G' /etc/nightjar/nightjar.yaml").trim(), "640 nightjar");
  t.not(system.run("systemctl is-enabled nightjar").code, 0, "an installation starts nothing");
  settingsFor(system, portal);
  system.must("systemctl enable --now nightjar");
  const sensors = async () => (await portal.at.portal().listSensors({})).sensors;
  const running = () => runningStages(system).length === STAGES.length;
  const explain = () => STAGES.map((one) => system.journal(`nightjar-${one}`)).join("\n");
  await waitFor(running, { what: "all stages run", timeoutMs: STARTED_MS_MAX, explain });
  await waitFor(async () => (await sensors()).length === 1, {
    what: "a heartbeat",
    timeoutMs: STARTED_MS_MAX,
    explain,
  });

  const settings = system.must("cat /etc/nightjar/nightjar.yaml");
  const before = new Set(runningStages(system).map(({ pid }) => pid));
  system.must("dpkg --force-confdef -i /product/next.deb");
  t.is(system.must("dpkg-query -W nightjar").trim(), `nightjar\t${NEXT_VERSION}`);
  t.is(system.must("cat /etc/nightjar/nightjar.yaml"), settings, "an operator's settings are kept");
  const isRenewed = () => running() && runningStages(system).every(({ pid }) => !before.has(pid));
  await waitFor(isRenewed, { what: "all stages run anew", timeoutMs: STARTED_MS_MAX, explain });

  system.must("dpkg -r nightjar");
  t.is(system.run("pgrep -u nightjar-collector,nightjar-uplink,nightjar-bus").stdout, "", "no process is left");
  t.is(system.run("ls -A /sys/fs/bpf/nightjar").stdout, "", "nothing is pinned");
  t.is(system.must("cat /etc/nightjar/nightjar.yaml"), settings, "a removal keeps settings");
  system.must("dpkg -P nightjar");
  t.is(system.must(TRACES), untouched, "a purge leaves nothing");
});
