// A portal that means harm: it cannot crash the uplink, fill its memory or lead it elsewhere; each call ends as failed.
import { readFileSync } from "node:fs";
import { createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { resolveSettings, statePaths } from "@nightjar/stage";
import test, { type ExecutionContext } from "ava";
import { PortalFailure } from "./failure.ts";
import { clientOf, detection, freshFolder, remove, startPortalProcess } from "./testing.ts";

const TEST_MS_MAX = 180_000;
const CALL_TIMEOUT_MS = 1_000;
const MIB = 1024 * 1024;
/** What a call may leave behind in this process beside what it had: far below what the attacks offer. */
const GROWTH_BYTES_MAX = 256 * MIB;
const CHUNK = Buffer.alloc(64 * 1024, 0x41);
const FRAME_HEADER_BYTES = 5;
/** The largest length that a frame can claim. */
const CLAIMED_BYTES = 0xffff_ffff;
const GRPC = { ":status": 200, "content-type": "application/grpc+proto" };

type Attack = (stream: ServerHttp2Stream, session: ServerHttp2Session) => void;

let stateDir: string;

test.before(async (t) => {
  t.timeout(TEST_MS_MAX);
  stateDir = freshFolder();
  // For its certificate: the harm comes from a portal that is known.
  await (await startPortalProcess(stateDir)).kill("SIGTERM");
});

test.after.always(() => remove(stateDir));

/** A gRPC message's frame: not compressed, so many bytes (gRPC over HTTP2, "Length-Prefixed-Message"). */
function frame(claimedBytes: number, payload = Buffer.alloc(0)): Buffer {
  const header = Buffer.alloc(FRAME_HEADER_BYTES);
  header.writeUInt32BE(claimedBytes, 1);
  return Buffer.concat([header, payload]);
}

/** Goes on for as long as somebody reads. */
function endlessly(stream: ServerHttp2Stream, chunk: Buffer): void {
  const more = () => {
    while (!stream.destroyed && stream.write(chunk));
  };
  stream.on("drain", more);
  more();
}

function answerOk(stream: ServerHttp2Stream, message: Buffer): void {
  stream.respond(GRPC, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  stream.end(message);
}

/** [what it does, how, what the log says] */
const attacks: readonly [string, Attack, RegExp][] = [
  [
    "a message of 4 GiB",
    (stream) => {
      stream.respond(GRPC);
      stream.write(frame(CLAIMED_BYTES));
      endlessly(stream, CHUNK);
    },
    /^comm error \(429\)$/,
  ],
  [
    "messages without end",
    (stream) => {
      stream.respond(GRPC);
      endlessly(stream, frame(0));
    },
    /^(comm error \(5\d\d\)|Connection Failed: .*)$/,
  ],
  [
    "trailers without end",
    (stream) => {
      stream.respond(GRPC, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "13", "grpc-message": "x".repeat(60_000) }));
      stream.end();
    },
    /^(comm error \(5\d\d\)|Connection Failed: .*)$/,
  ],
  [
    "malformed protobuf",
    (stream) => answerOk(stream, frame(3, Buffer.from([0x0a, 0xff, 0xff]))),
    /^comm error \(\d{3}\)$/,
  ],
  [
    "a redirect",
    (stream) => {
      stream.respond({ ":status": 307, location: "https://elsewhere.invalid/" });
      stream.end();
    },
    /^comm error \(\d{3}\)$/,
  ],
  [
    "a page",
    (stream) => {
      stream.respond({ ":status": 200, "content-type": "text/html" });
      endlessly(stream, CHUNK);
    },
    /^comm error \(\d{3}\)$/,
  ],
  ["silence", () => {}, /^Connection Failed: timed out$/],
  ["a connection that is destroyed", (_, session) => session.destroy(), /^Connection Failed: connection reset$/],
  ["GOAWAY at every call", (_, session) => session.goaway(2), /^Connection Failed: connection reset$/],
];

/** Serves an attack with the portal's certificate, and counts who comes. */
async function serve(t: ExecutionContext, attack: Attack): Promise<string> {
  const folder = statePaths.folder(stateDir, "portal");
  const [key, cert] = ["private-key.pem", "certificate.pem"].map((file) => readFileSync(join(folder, file)));
  const server = createSecureServer({ key, cert });
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => undefined);
    session.on("stream", (stream) => {
      stream.on("error", () => undefined);
      attack(stream, session);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.teardown(() => {
    server.close();
    for (const session of sessions) session.destroy();
  });
  return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

for (const [what, attack, words] of attacks) {
  test.serial(`${what}: the call fails, nothing else`, async (t) => {
    t.timeout(TEST_MS_MAX);
    const defaults = resolveSettings({}).values;
    const uplink = {
      ...defaults.uplink,
      portal_url: await serve(t, attack),
      portal_certificate_file: statePaths.portalCertificate(stateDir),
      portal_token_file: statePaths.portalToken(stateDir),
      call_timeout_ms: CALL_TIMEOUT_MS,
    };
    const { client, close } = clientOf(stateDir, { ...defaults, uplink });
    t.teardown(close);
    const before = process.memoryUsage().rss;
    const call = client.sendDetections({ sensorId: "sensor-1", hostName: "host", detections: [detection()] });
    const failure = await t.throwsAsync(call, { instanceOf: PortalFailure });
    t.regex(failure?.message ?? "", words);
    t.is(failure?.refusedIndex, undefined, "what was to be sent is kept");
    t.true(process.memoryUsage().rss - before < GROWTH_BYTES_MAX);
  });
}
