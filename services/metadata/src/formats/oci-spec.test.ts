// Tests what is read of OCI specifications: those that engines write, and anything else.
import test from "ava";
import fc from "fast-check";
import { readSpec } from "./oci-spec.ts";

const CAPABILITIES = ["CAP_CHOWN", "CAP_SYS_ADMIN"];
const NAMESPACES = ["pid", "network", "ipc", "mount"].map((type) => ({ type }));

/** As `runc spec` and the engines write it; `change` tells what is different. */
function spec(change: { linux?: object; sysOptions?: string[]; annotations?: Record<string, string> } = {}) {
  return {
    process: { capabilities: { bounding: CAPABILITIES }, env: ["PATH=/bin", "TOKEN=secret"] },
    mounts: [
      { destination: "/proc", type: "proc", source: "proc" },
      { destination: "/sys", type: "sysfs", source: "sysfs", options: change.sysOptions ?? ["nosuid", "ro"] },
      { destination: "/data", type: "bind", source: "/srv/data", options: ["rbind", "rslave", "ro"] },
      { destination: "/host", type: "bind", source: "/", options: ["rbind"] },
    ],
    annotations: change.annotations ?? {},
    linux: { namespaces: NAMESPACES, maskedPaths: ["/proc/kcore"], ...change.linux },
  };
}

const PLAIN = { environment: false };

test("mounts from the host are told, those the runtime makes are not", (t) => {
  const mounts = readSpec(spec(), PLAIN).mounts.map((one) => [
    one.source,
    one.destination,
    one.writable,
    one.propagation,
  ]);
  t.deepEqual(mounts, [
    ["/srv/data", "/data", false, "rslave"],
    ["/", "/host", true, ""],
  ]);
});

test("privileged is what has everything, not what has much", (t) => {
  const open = { linux: { maskedPaths: [] }, sysOptions: ["nosuid"] };
  t.true(readSpec(spec(open), PLAIN).privileged);
  t.false(readSpec(spec(), PLAIN).privileged);
  t.false(readSpec(spec({ ...open, sysOptions: ["ro"] }), PLAIN).privileged);
});

test("a kind of namespace that is not its own is the host's", (t) => {
  const without = NAMESPACES.filter(({ type }) => type !== "network");
  const { hostNetwork, hostPid, hostIpc } = readSpec(spec({ linux: { namespaces: without } }), PLAIN);
  t.deepEqual([hostNetwork, hostPid, hostIpc], [true, false, false]);
});

test("an image is told where an annotation names it", (t) => {
  const annotations = {
    "io.kubernetes.cri.image-name": "docker.io/library/nginx:1.27",
    "io.kubernetes.cri.container-type": "sandbox",
    "io.kubernetes.cri.sandbox-id": "abc",
  };
  const told = readSpec(spec({ annotations }), PLAIN);
  t.deepEqual([told.imageRepository, told.imageTag], ["docker.io/library/nginx", "1.27"]);
  t.deepEqual([told.sandboxId, told.isSandbox], ["abc", true]);
});

test("the environment is told only to who asked for it", (t) => {
  t.deepEqual(readSpec(spec(), PLAIN).environment, []);
  t.deepEqual(readSpec(spec(), { environment: true }).environment, ["PATH=/bin", "TOKEN=secret"]);
});

test("any JSON is read without a throw", (t) => {
  fc.assert(fc.property(fc.jsonValue(), (value) => t.is(readSpec(value, PLAIN).name, "")));
});
