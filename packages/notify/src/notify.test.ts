// What is told arrives at the socket; what the environment says counts as systemd means it.
import { join } from "node:path";
import { startProcess, type Teardown, temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { findServiceManager } from "./index.ts";

/** Node has no such socket: the test's own is Python's. */
const RECEIVER = `
import socket, sys
receiver = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
receiver.bind(sys.argv[1].replace("@", "\\0", 1) if sys.argv[1].startswith("@") else sys.argv[1])
print("bound", flush=True)
sys.stdout.write(receiver.recv(4096).decode())
`;

/** What the socket gets first of what `send` sends. */
async function receive(test: Teardown, address: string, send: () => void): Promise<string> {
  const receiver = startProcess(test, "python3", ["-c", RECEIVER, address]);
  await receiver.line(/bound\n/);
  send();
  await receiver.exited;
  return receiver.stdout.replace("bound\n", "");
}

test("assignments arrive, a line each", async (t) => {
  const socket = join(temporaryFolder(t), "notify");
  const manager = findServiceManager({ NOTIFY_SOCKET: socket }, process.pid);
  t.false(manager?.notify({ READY: 1 }), "nobody listens yet");
  const said = await receive(t, socket, () => manager?.notify({ READY: 1, STATUS: "two\nlines" }));
  t.is(said, "READY=1\nSTATUS=two lines");
});

test("an abstract socket is reached", async (t) => {
  const socket = `@nightjar-notify-test-${process.pid}`;
  t.is(
    await receive(t, socket, () => findServiceManager({ NOTIFY_SOCKET: socket }, 1)?.notify({ WATCHDOG: 1 })),
    "WATCHDOG=1",
  );
});

test("without a socket there is no service manager", (t) => {
  t.is(findServiceManager({}, 1), undefined);
  t.is(findServiceManager({ NOTIFY_SOCKET: "vsock:2:1" }, 1), undefined);
});

test("a watchdog counts for the process it was set for", (t) => {
  const watchdog = (env: Record<string, string>) => findServiceManager({ NOTIFY_SOCKET: "/n", ...env }, 42)?.watchdogMs;
  t.is(watchdog({ WATCHDOG_USEC: "30000000" }), 30_000);
  t.is(watchdog({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "42" }), 30_000);
  t.is(watchdog({ WATCHDOG_USEC: "30000000", WATCHDOG_PID: "41" }), undefined);
  t.is(watchdog({ WATCHDOG_USEC: "soon" }), undefined);
});
