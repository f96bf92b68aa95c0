// The uplink against the real portal process: exactly once through its deaths, and the words for each way to fail.
import { readFileSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { rootCertificates } from "node:tls";
import { create } from "@bufbuild/protobuf";
import { SensorSchema } from "@nightjar/proto";
import { Backoff, resolveSettings, type Settings, statePaths } from "@nightjar/stage";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import { encodedDetection, requestWith } from "./encoded.ts";
import { PortalFailure } from "./failure.ts";
import { Link } from "./link.ts";
import { Outbox } from "./outbox.ts";
import { runSender } from "./sender.ts";
import {
  clientOf,
  detection,
  detectionsAt,
  freshFolder,
  type PortalProcess,
  remove,
  startPortalProcess,
} from "./testing.ts";

/** Ample: the machine may be busy with other things. */
const WAIT_MS = 30_000;

const MIB = 1024 * 1024;
const KILLS = 4;
const TEST_MS_MAX = 180_000;
const DETECTIONS_A_ROUND = 60;

let stateDir: string;
let portal: PortalProcess;

test.before(async (t) => {
  t.timeout(TEST_MS_MAX);
  stateDir = freshFolder();
  portal = await startPortalProcess(stateDir);
});

test.after.always(async () => {
  await portal?.kill("SIGTERM");
  remove(stateDir);
});

function clientWith(t: { teardown: (fn: () => void) => void }, over: Partial<Settings["uplink"]>, dir = stateDir) {
  const defaults = resolveSettings({}).values;
  const { client, close } = clientOf(dir, { ...defaults, uplink: { ...defaults.uplink, ...over } });
  t.teardown(close);
  return client;
}

const heartbeat = () => ({ sensor: create(SensorSchema, { id: "sensor-1" }), intervalSeconds: 10 });

/** [what is wrong, the settings that make it so, the words, what the answer says] */
const failures: [string, () => Partial<Settings["uplink"]>, string, RegExp][] = [
  [
    "wrong token",
    () => ({ portal_token_file: file("token", "wrong") }),
    "comm error (401)",
    /token is missing or wrong/,
  ],
  [
    "a certificate that is not the portal's",
    () => ({ portal_certificate_file: file("certificate", rootCertificates[0]!) }),
    "invalid peer certificate contents",
    /certificate/,
  ],
  // A label longer than DNS allows is refused by the resolver itself, without asking anyone.
  ["a name that does not exist", () => url(`https://${"a".repeat(64)}.invalid`), "dns error", /ENOTFOUND/],
  ["no one listens", () => url("https://127.0.0.1:1"), "Connection Failed: connection refused", /ECONNREFUSED/],
  ["no https", () => url("http://127.0.0.1:1"), "the portal's address must begin with https://", /http:/],
  [
    "the file of the token is not there",
    () => ({ portal_token_file: "/nonexistent/token" }),
    "the portal is not there yet",
    /\/nonexistent\/token cannot be read/,
  ],
];

function url(portal_url: string): Partial<Settings["uplink"]> {
  const portal_certificate_file = statePaths.portalCertificate(stateDir);
  return { portal_url, portal_certificate_file, portal_token_file: statePaths.portalToken(stateDir) };
}

function file(name: string, contents: string): string {
  const path = join(stateDir, name);
  writeFileSync(path, contents);
  return path;
}

for (const [what, settings, message, resp] of failures) {
  test(`${what}: ${message}`, async (t) => {
    const call = clientWith(t, settings()).heartbeat(heartbeat());
    const failure = await t.throwsAsync(call, { instanceOf: PortalFailure });
    t.is(failure?.message, message);
    t.regex(failure?.resp ?? "", resp);
  });
}

/** Something that takes connections and is no portal. */
async function listener(t: { teardown: (fn: () => void) => void }, handle: (socket: Socket) => void): Promise<string> {
  const sockets: Socket[] = [];
  const server: Server = createServer((socket) => {
    sockets.push(socket.on("error", () => {}));
    handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.close();
    for (const socket of sockets) socket.destroy();
  });
  return `https://127.0.0.1:${(server.address() as { port: number }).port}`;
}

test("a peer that hangs up or talks no TLS: tls connection init failed", async (t) => {
  for (const handle of [
    (socket: Socket) => void socket.end(),
    (socket: Socket) => void socket.end("HTTP/1.1 403 No\r\n\r\n"),
  ]) {
    const call = clientWith(t, url(await listener(t, handle))).heartbeat(heartbeat());
    const failure = await t.throwsAsync(call, { instanceOf: PortalFailure });
    t.is(failure?.message, "Connection Failed: tls connection init failed");
  }
});

test("a peer that never answers: timed out", async (t) => {
  const silent = await listener(t, () => {});
  const call = clientWith(t, { ...url(silent), call_timeout_ms: 200 }).heartbeat(heartbeat());
  const failure = await t.throwsAsync(call, { instanceOf: PortalFailure });
  t.is(failure?.message, "Connection Failed: timed out");
});

test("a detection the portal refuses is named by its place", async (t) => {
  const client = clientWith(t, {});
  const detections = [detection(), detection({ rule: "" })];
  const call = client.sendDetections({ sensorId: "sensor-1", hostName: "host", detections });
  const failure = await t.throwsAsync(call, { instanceOf: PortalFailure });
  t.deepEqual([failure?.message, failure?.refusedIndex], ["comm error (400)", 1]);
});

test("a wrong token that is put right is taken up without a new start", async (t) => {
  const path = file("token-mended", "wrong");
  const client = clientWith(t, { portal_token_file: path });
  await t.throwsAsync(client.heartbeat(heartbeat()), { message: "comm error (401)" });
  writeFileSync(path, readFileSync(statePaths.portalToken(stateDir)));
  await t.notThrowsAsync(client.heartbeat(heartbeat()));
});

test.serial("kill -9 of the portal again and again: each detection is there exactly once", async (t) => {
  t.timeout(TEST_MS_MAX);
  const outbox = await Outbox.open(join(stateDir, "outbox"), {
    bytesMax: 64 * MIB,
    clock: Date.now,
    evicted: () => {},
    broken: () => {},
  });
  const client = clientWith(t, {});
  const abort = new AbortController();
  const link = new Link({
    log: { error() {}, info() {} },
    raise() {},
    resolve() {},
    failed() {},
    clock: () => performance.now(),
  });
  const sender = runSender(
    {
      outbox,
      send: (detections) => client.sendDetections(requestWith(detections, { sensorId: "sensor-2", hostName: "host" })),
      backoff: new Backoff({ baseMs: 20, maxMs: 200, jitter: 1, fastWindowMs: 60_000, slowIntervalMs: 60_000 }),
      wait: (ms) => link.wait(ms, abort.signal),
      sent: () => link.up(),
      failed: (failure) => link.down(failure),
      refused: (entry, why) => t.fail(`${entry.id}: ${why}`),
    },
    abort.signal,
  );
  const ids: string[] = [];
  const feed = async () => {
    for (let at = 0; at < DETECTIONS_A_ROUND; at++) {
      const one = detection();
      ids.push(one.id);
      await outbox.add([one].map(encodedDetection));
    }
  };
  for (let kill = 0; kill < KILLS; kill++) {
    const feeding = feed();
    await waitFor(() => outbox.count < ids.length, { what: "some are sent", timeoutMs: WAIT_MS });
    await portal.kill("SIGKILL");
    await feeding;
    portal = await startPortalProcess(stateDir);
    await waitFor(() => outbox.count === 0, { what: "the outbox is empty", timeoutMs: WAIT_MS });
  }
  abort.abort();
  await sender;
  await outbox.close();
  const stored = (await detectionsAt(stateDir)).filter((one) => one.sensorId === "sensor-2");
  t.deepEqual(stored.map((one) => one.detection!.id).sort(), ids.sort());
});
