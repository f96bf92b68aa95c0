// What goes wrong between a sensor and its portal: the log says so in the documented words, and afterwards the portal
// has each detection exactly once.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { statePaths } from "@nightjar/stage";
import { type Teardown, temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { onPath, whyNoNetwork } from "../harness/network.ts";
import { makeIdentity } from "./certificates.ts";
import { afterBytes, delayed, impostor, slowly } from "./wire.ts";
import { detections, PORTAL_NAME, START_TIMEOUT_MS, startWorld, type World } from "./world.ts";

const DETECTIONS = 40;
const TEST_MS_MAX = 240_000;
const LATENCY_MS = 300;
const DAY_MS = 24 * 60 * 60 * 1_000;
const SLOW_READ_MS = 5;
/** Of a call with large detections, which TLS and HTTP/2 have begun. */
const MID_CALL_BYTES = 32 * 1024;
const LARGE_BYTES = 20_000;
const PROXY_PORT = 3128;
const TO_PORTAL = "tcp dport 8443";
const REFUSE = `${TO_PORTAL} reject with tcp reset`;

interface Fault {
  what: string;
  begin: (world: World) => Promise<void> | void;
  end: (world: World) => Promise<void> | void;
  /** What the log says, in this order; nothing where the call only takes longer. */
  words: readonly string[];
  /** Bytes of each detection's output. */
  bytes?: number;
}

const plain = (world: World) => world.carry(undefined);
const unfiltered = (world: World) => world.network.far.filter();

const faults: readonly Fault[] = [
  { what: "latency", begin: (world) => world.carry(delayed(LATENCY_MS)), end: plain, words: [] },
  {
    what: "30 % of the packets are lost",
    begin: (world) => world.network.far.filter(`${TO_PORTAL} numgen random mod 100 < 30 drop`),
    end: unfiltered,
    words: [],
  },
  {
    what: "a reset in mid-call",
    begin: (world) => world.carry(afterBytes(MID_CALL_BYTES, () => world.network.far.filter(REFUSE))),
    end: (world) => {
      unfiltered(world);
      plain(world);
    },
    words: ["Connection Failed: connection reset", "Connection Failed: connection refused"],
    bytes: LARGE_BYTES,
  },
  {
    what: "connections are refused",
    begin: (world) => world.network.far.filter(REFUSE),
    end: unfiltered,
    words: ["Connection Failed: connection refused"],
  },
  {
    what: "a black hole",
    begin: (world) => world.network.far.filter(`${TO_PORTAL} drop`),
    end: unfiltered,
    words: ["Connection Failed: timed out"],
  },
  {
    what: "a slow reader",
    begin: (world) => world.carry(slowly(SLOW_READ_MS)),
    end: plain,
    words: [],
    bytes: LARGE_BYTES,
  },
  {
    what: "somebody else's certificate",
    begin: async (world) => world.carry(impostor(await makeIdentity(PORTAL_NAME, 1))),
    end: plain,
    words: ["invalid peer certificate contents"],
  },
  {
    what: "an expired certificate",
    begin: (world) => world.expired && world.carry(impostor(world.expired)),
    end: plain,
    words: ["invalid peer certificate contents"],
  },
  {
    what: "a firewall that hangs up before TLS",
    begin: (world) => world.carry((from) => void from.end()),
    end: plain,
    words: ["Connection Failed: tls connection init failed"],
  },
  {
    what: "a name that DNS does not know",
    begin: (world) => {
      world.nameKnown(false);
      world.carry(undefined);
    },
    end: (world) => world.nameKnown(true),
    words: ["dns error"],
  },
  {
    what: "a cable that is pulled",
    begin: (world) => {
      world.network.setLink("down");
      world.carry(undefined);
    },
    end: (world) => world.network.setLink("up"),
    words: ["Connection Failed: network unreachable"],
  },
  {
    what: "the portal is killed and starts again",
    begin: (world) => world.portal.kill(),
    end: (world) => world.portal.start(),
    // The far end of the wire still takes connections.
    words: ["Connection Failed: tls connection init failed"],
  },
  {
    what: "the portal's disk is full",
    begin: (world) => world.portal.fillDisk(true),
    end: (world) => world.portal.fillDisk(false),
    words: ["comm error (503)"],
  },
  {
    what: "401 in mid-stream",
    begin: async (world) => {
      await world.portal.kill();
      writeFileSync(statePaths.portalToken(world.portal.stateDir), "another");
      await world.portal.start();
    },
    end: (world) => world.knowToken(),
    words: ["comm error (401)"],
  },
  {
    what: "the clock is set a day ahead while detections wait, and the uplink starts again",
    begin: (world) => world.network.far.filter(REFUSE),
    end: async (world) => {
      world.setClockAhead(DAY_MS);
      await world.restartUplink();
      unfiltered(world);
    },
    words: ["Connection Failed: connection refused"],
  },
];

/** Nothing is tried again by itself for longer than the test lasts. */
const HOURLY = {
  NIGHTJAR_UPLINK_FAST_WINDOW_S: "0",
  NIGHTJAR_UPLINK_SLOW_INTERVAL_S: "3600",
  NIGHTJAR_UPLINK_RETRY_BASE_MS: "60000",
  NIGHTJAR_UPLINK_RETRY_MAX_MS: "600000",
  NIGHTJAR_UPLINK_RETRY_JITTER: "0",
  NIGHTJAR_UPLINK_HEARTBEAT_INTERVAL_S: "3600",
};

/** What hooks start, ended by the last of them: hooks have no teardown of their own. */
const cleanUps: (() => void | Promise<void>)[] = [];
const suite: Teardown = { teardown: (cleanUp) => void cleanUps.push(cleanUp) };
const reason = whyNoNetwork();
const run = reason ? test.skip : test.serial;
let world: World;

test.before(async (t) => {
  t.timeout(TEST_MS_MAX);
  if (reason) return;
  world = await startWorld(suite);
  await world.startUplink().line(/"message":"uplink is ready"/, { timeoutMs: START_TIMEOUT_MS });
});

test.after.always(async () => {
  for (const cleanUp of cleanUps.reverse()) await cleanUp();
});

for (const { what, begin, end, words, bytes } of faults) {
  run(`${what}: ${words.join(", ") || "only slower"}${reason ? ` (${reason})` : ""}`, async (t) => {
    t.timeout(TEST_MS_MAX);
    const from = world.log().length;
    await begin(world);
    try {
      await world.publish(detections(DETECTIONS, bytes));
      for (const message of words) t.truthy(await world.words(message, from), "and what the other side said");
    } finally {
      await end(world);
    }
    await world.settled();
    t.deepEqual([...world.stored.keys()].sort(), [...world.published].sort());
    t.true(
      [...world.stored.values()].every((times) => times === 1),
      "each exactly once",
    );
    t.true(world.uplink?.running);
  });
}

run(
  `a cable that is put back while tries are hourly: the portal is tried at once${reason ? ` (${reason})` : ""}`,
  async (t) => {
    t.timeout(TEST_MS_MAX);
    await world.uplink?.stop();
    world.network.setLink("down");
    const from = world.log().length;
    await world.restartUplink(HOURLY);
    await world.publish(detections(DETECTIONS));
    await world.words("Connection Failed: network unreachable", from);
    world.network.setLink("up");
    await world.settled();
    t.true(
      [...world.stored.values()].every((times) => times === 1),
      "each exactly once",
    );
  },
);

const proxyReason = reason ?? (onPath("tinyproxy") ? undefined : "not installed: tinyproxy");
const runWithProxy = proxyReason ? test.skip : test.serial;

runWithProxy(`a proxy that wants a password${proxyReason ? ` (${proxyReason})` : ""}`, async (t) => {
  t.timeout(TEST_MS_MAX);
  const { far, farAddress } = world.network;
  const file = join(temporaryFolder(t), "tinyproxy.conf");
  const lines = [`Port ${PROXY_PORT}`, `Listen ${farAddress}`, "BasicAuth sensor secret", "ConnectPort 8443"];
  writeFileSync(file, `${lines.join("\n")}\n`);
  far.start(["tinyproxy", "-d", "-c", file]);
  await world.uplink?.stop();
  const from = world.log().length;
  await world.restartUplink({ HTTPS_PROXY: `http://${farAddress}:${PROXY_PORT}` });
  await world.publish(detections(DETECTIONS));
  t.regex(await world.words("Connection Failed: proxy refused", from), /407/);
  await world.restartUplink({ HTTPS_PROXY: `http://sensor:secret@${farAddress}:${PROXY_PORT}` });
  await world.settled();
  t.false(JSON.stringify(world.log().slice(from)).includes("secret"), "the log has no password");
});
