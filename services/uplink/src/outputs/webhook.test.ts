// The webhook against a real HTTPS server: signed, each detection at least once, and what the server's answers do.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder, waitFor } from "@nightjar/test-support";
import test from "ava";
import { Webhook } from "standardwebhooks";
import { encodedDetection } from "../encoded.ts";
import { detection } from "../testing.ts";
import { httpReceiver, type Request, runOutput } from "./testing.ts";

const SECRET = `whsec_${Buffer.from("a secret of at least 24 bytes").toString("base64")}`;
const WAIT_MS = 30_000;
const MANY = 40;

const until = (condition: () => boolean, what: string) => waitFor(condition, { what, timeoutMs: WAIT_MS });
const ruleIn = ({ body }: Request) => JSON.parse(body.toString()).rule;

test("each detection is posted in the format, signed so that Standard Webhooks' own library takes it", async (t) => {
  const receiver = await httpReceiver(t, (_request, response) => void response.end());
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "secret"), `${SECRET}\n`);
  writeFileSync(join(folder, "headers"), "Authorization: Bearer abc\n\nX-Site: north\n");
  const { running } = await runOutput(t, "webhook", {
    ...{ webhook_url: receiver.url, webhook_ca_file: receiver.caFile, webhook_format: "ecs" },
    ...{ webhook_secret_file: join(folder, "secret"), webhook_headers_file: join(folder, "headers") },
  });
  const sent = Array.from({ length: MANY }, () => detection({ revision: 2 }));
  await running.keep(sent.map(encodedDetection));
  await until(() => running.status.sent === BigInt(MANY), "all are delivered");
  for (const { headers, body } of receiver.requests) {
    t.notThrows(() => new Webhook(SECRET).verify(body.toString(), headers as Record<string, string>));
    t.like(headers, { authorization: "Bearer abc", "x-site": "north", "content-type": "application/json" });
    t.is(headers["webhook-id"], `${JSON.parse(body.toString()).event.id}-2`);
  }
  const ids = receiver.requests.map(({ body }) => JSON.parse(body.toString()).event.id);
  t.deepEqual(ids.toSorted(), sent.map(({ id }) => id).toSorted());
  t.is(running.status.waiting, 0n);
});

test("a receiver that fails is tried again with the same id, and the issue ends when it takes it", async (t) => {
  const answers = [503, 500, 302, 404];
  const receiver = await httpReceiver(t, (_request, response) => {
    const status = answers.shift() ?? 204;
    response.writeHead(status, { location: "https://127.0.0.1:1/elsewhere" }).end("why not");
  });
  const { running, issues } = await runOutput(t, "webhook", {
    webhook_url: receiver.url,
    webhook_ca_file: receiver.caFile,
  });
  await running.keep([detection()].map(encodedDetection));
  await until(() => issues.get("webhook failing") === "the receiver answered 503: why not", "it fails");
  await until(() => running.status.sent === 1n, "it is delivered");
  await until(() => issues.size === 0, "the issue is over");
  t.is(receiver.requests.length, 5);
  t.is(new Set(receiver.requests.map(({ headers }) => headers["webhook-id"])).size, 1);
  t.is(running.status.failure, "");
});

test("one that the receiver will never take is put aside, and the others go on", async (t) => {
  const receiver = await httpReceiver(t, (request, response) => {
    response.writeHead(ruleIn(request) === "bad" ? 422 : 200).end();
  });
  const { running, issues } = await runOutput(t, "webhook", {
    webhook_url: receiver.url,
    webhook_ca_file: receiver.caFile,
  });
  await running.keep(
    [detection({ rule: "good" }), detection({ rule: "bad" }), detection({ rule: "good too" })].map(encodedDetection),
  );
  await until(() => running.status.sent === 2n && running.status.refused === 1n, "two are taken, one is refused");
  t.deepEqual([running.status.waiting, issues.has("webhook failing")], [0n, false]);
});

test("one that is slow holds up no other, and nobody who brings detections", async (t) => {
  const slow = await httpReceiver(t, () => {});
  const path = join(temporaryFolder(t), "detections.json");
  const [hanging, quick] = await Promise.all([
    runOutput(t, "webhook", { webhook_url: slow.url, webhook_ca_file: slow.caFile, timeout_ms: 120_000 }),
    runOutput(t, "file", { file_path: path }),
  ]);
  for (let round = 0; round < 3; round++) {
    const batch = [detection(), detection()];
    await Promise.all([
      hanging.running.keep(batch.map(encodedDetection)),
      quick.running.keep(batch.map(encodedDetection)),
    ]);
    await until(() => quick.running.status.sent === BigInt(2 * (round + 1)), "the file has them");
  }
  await until(() => slow.requests.length > 0, "the webhook was asked");
  t.deepEqual([hanging.running.status.sent, hanging.running.status.waiting], [0n, 6n]);
});

test("what waits outlives the process, and goes out when the receiver is there", async (t) => {
  const receiver = await httpReceiver(t, (_request, response) => void response.end());
  const folder = temporaryFolder(t);
  const away = { webhook_url: "https://127.0.0.1:1/", webhook_ca_file: receiver.caFile };
  const before = await runOutput(t, "webhook", away, folder);
  await before.running.keep([detection({ rule: "first" })].map(encodedDetection));
  await until(() => before.issues.get("webhook failing")?.includes("connection refused") === true, "it fails");
  await before.stop();
  const after = await runOutput(t, "webhook", { ...away, webhook_url: receiver.url }, folder);
  await until(() => after.running.status.sent === 1n, "it is delivered");
  t.deepEqual(receiver.requests.map(ruleIn), ["first"]);
});

test("an untrusted certificate, a silent receiver, no secret: nothing is sent, and it says why", async (t) => {
  const [receiver, other] = await Promise.all([
    httpReceiver(t, (_request, response) => void response.end()),
    httpReceiver(t, () => {}),
  ]);
  const rows = [
    [{ webhook_url: receiver.url, webhook_ca_file: other.caFile }, /^invalid peer certificate contents/],
    [{ webhook_url: receiver.url }, /^invalid peer certificate contents/],
    [{ webhook_url: other.url, webhook_ca_file: other.caFile, timeout_ms: 200 }, /timed out after 200 ms/],
    [
      { webhook_url: receiver.url, webhook_ca_file: receiver.caFile, webhook_secret_file: "/nonexistent" },
      /nonexistent/,
    ],
  ] as const;
  for (const [settings, why] of rows) {
    const { running, issues } = await runOutput(t, "webhook", settings);
    await running.keep([detection()].map(encodedDetection));
    await until(() => why.test(issues.get("webhook failing") ?? ""), String(why));
  }
  t.deepEqual(receiver.requests, []);
});
