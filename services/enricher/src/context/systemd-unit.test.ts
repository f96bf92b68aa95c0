// Paths of cgroups as systemd, users' managers, containers and others make them.
import test from "ava";
import { unitsOf } from "./systemd-unit.ts";

const CONTAINER = "0123456789abcdef".repeat(4);
const APP = "/user.slice/user-1000.slice/user@1000.service";

const CASES: readonly (readonly [path: string, unit: string, slice: string, userUnit?: string])[] = [
  ["/", "", ""],
  ["", "", ""],
  ["/init.scope", "init.scope", "-.slice"],
  ["/system.slice/ssh.service", "ssh.service", "system.slice"],
  ["/system.slice/ssh.service/workers/1", "ssh.service", "system.slice"],
  ["/system.slice/system-getty.slice/getty@tty1.service", "getty@tty1.service", "system-getty.slice"],
  ["/system.slice", "", "system.slice"],
  ["/system.slice/dev-disk-by\\x2duuid.swap", "dev-disk-by\\x2duuid.swap", "system.slice"],
  ["/system.slice/_cpu.service", "cpu.service", "system.slice"],
  ["/user.slice/user-1000.slice/session-3.scope", "session-3.scope", "user-1000.slice"],
  [`${APP}/app.slice/app-firefox.service`, "user@1000.service", "user-1000.slice", "app-firefox.service"],
  [`${APP}/app.slice/app-gnome.slice/x.scope/y`, "user@1000.service", "user-1000.slice", "x.scope"],
  [`${APP}/init.scope`, "user@1000.service", "user-1000.slice", "init.scope"],
  [APP, "user@1000.service", "user-1000.slice"],
  [`/system.slice/docker-${CONTAINER}.scope/init.scope`, `docker-${CONTAINER}.scope`, "system.slice"],
  [`/docker/${CONTAINER}`, "", ""],
  [`/process_api/${CONTAINER.slice(32)}`, "", ""],
  ["/system.slice/not a unit.service", "", "system.slice"],
  [`/system.slice/${"x".repeat(256)}.service`, "", "system.slice"],
  ["/ssh.service.d", "", ""],
];

for (const [path, unit, slice, userUnit = ""] of CASES) {
  test(`${path.slice(0, 80) || "nothing"}: ${unit.slice(0, 40) || "none"}`, (t) => {
    t.deepEqual(unitsOf(path), { unit, userUnit, slice });
  });
}
