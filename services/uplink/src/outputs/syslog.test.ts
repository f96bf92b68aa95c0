// Syslog against a receiver of RFC 5425's frames: each message whole, and again where the receiver broke off.

import { connectOnHost, readInPod } from "@nightjar/formats/fixture";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import { encodedDetection } from "../encoded.ts";
import { detection } from "../testing.ts";
import { runOutput, syslogReceiver } from "./testing.ts";

const WAIT_MS = 30_000;
const MANY = 700;
const BREAKS = 3;
/** More than is read at once. */
const LARGE = 8 * 1024 * 1024;

/** RFC 5424, 6: PRI VERSION TIMESTAMP HOSTNAME APP-NAME PROCID MSGID STRUCTURED-DATA MSG. */
const HEADER =
  /^<(\d{1,3})>1 (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,6}Z) ([!-~]{1,255}) ([!-~]{1,48}) (-) ([!-~]{1,32}) (-)/;
const MESSAGE = new RegExp(`${HEADER.source} (\\{.*\\})$`);

const until = (condition: () => boolean, what: string) => waitFor(condition, { what, timeoutMs: WAIT_MS });

test("a message is one of RFC 5424, its severity the detection's, its text the detection in the format", async (t) => {
  const receiver = await syslogReceiver(t);
  const { running } = await runOutput(t, "syslog", {
    ...{ syslog_address: receiver.address, syslog_ca_file: receiver.caFile },
    ...{ syslog_format: "ocsf", syslog_facility: 16 },
  });
  await running.keep([readInPod(), connectOnHost()].map(encodedDetection));
  await until(() => running.status.sent === 2n, "both are delivered");
  const [worst, other] = receiver.messages.map((message) => MESSAGE.exec(message)?.slice(1) ?? []);
  t.deepEqual(worst?.slice(0, 7), ["130", "2026-01-02T03:04:05.000000Z", "crab", "nightjar", "-", "detection", "-"]);
  t.deepEqual(other?.slice(0, 2), ["132", "2026-01-02T03:04:05.006000Z"]);
  t.is(JSON.parse(other?.[7] ?? "").finding_info.uid, "00112233-4455-6677-8899-aabbccddeeff");
});

test("a receiver that breaks off in the middle is given the batch again: each is there at least once", async (t) => {
  const receiver = await syslogReceiver(t, (socket, connection) => {
    if (connection <= BREAKS) socket.once("data", () => socket.destroy());
  });
  const { running, issues } = await runOutput(t, "syslog", {
    syslog_address: receiver.address,
    syslog_ca_file: receiver.caFile,
  });
  const sent = Array.from({ length: MANY }, () => detection({ output: "ü".repeat(300) }));
  await running.keep(sent.map(encodedDetection));
  await until(() => running.status.waiting === 0n, "the queue is empty");
  const uuids = new Set(receiver.messages.map((message) => JSON.parse(MESSAGE.exec(message)?.[8] ?? "{}").uuid));
  t.is(uuids.size, MANY);
  t.deepEqual([running.status.sent, issues.size], [BigInt(MANY), 0]);
});

test("a receiver that hangs up at once, or never ends, has taken nothing", async (t) => {
  const early = await syslogReceiver(t, (socket) => void socket.once("data", () => socket.destroy()));
  const hanging = await syslogReceiver(t, (socket) => void socket.pause());
  const rows = [
    [early, /connection reset|hung up/],
    [hanging, /did not end the connection|did not answer/],
  ] as const;
  for (const [receiver, why] of rows) {
    const { running, issues } = await runOutput(t, "syslog", {
      ...{ syslog_address: receiver.address, syslog_ca_file: receiver.caFile, timeout_ms: 300 },
    });
    await running.keep([detection({ output: "x".repeat(LARGE) })].map(encodedDetection));
    await until(() => why.test(issues.get("syslog failing") ?? ""), String(why));
    t.deepEqual([running.status.sent, running.status.waiting], [0n, 1n]);
  }
});

test("a certificate that is not trusted gets no message", async (t) => {
  const [receiver, other] = await Promise.all([syslogReceiver(t), syslogReceiver(t)]);
  const { running, issues } = await runOutput(
    t,
    "syslog",
    { syslog_address: receiver.address, syslog_ca_file: other.caFile },
    temporaryFolder(t),
  );
  await running.keep([detection()].map(encodedDetection));
  await until(() => issues.get("syslog failing")?.startsWith("invalid peer certificate") === true, "it is refused");
  t.deepEqual(receiver.messages, []);
});
