// Tests how the bundle is read from the command line of a runtime.
import test from "ava";
import { findMaking, readBundleOption } from "./oci-process.ts";

const COMMANDS: readonly (readonly [command: string, bundle: string | undefined])[] = [
  ["runc --root /run/runc run --bundle /b web", "/b"],
  ["runc run -b b web", "b"],
  ["crun create --bundle=/b web", "/b"],
  ["runc create --pid-file /p web", "."],
  ["runc state web", undefined],
  ["vi web", undefined],
];

for (const [command, bundle] of COMMANDS) {
  test(command, (t) => t.is(readBundleOption(command.split(" ")), bundle));
}

test("nobody makes what nobody speaks of", (t) => {
  t.is(findMaking("nightjar-unheard-of", 0), undefined);
});
