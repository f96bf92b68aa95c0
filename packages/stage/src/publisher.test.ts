// What is published is sent in order, again after every failure, under the same id, and told when it is stored.
import { JetStreamApiError, type JetStreamClient } from "@nats-io/jetstream";
import { waitFor } from "@nightjar/test-support";
import test from "ava";
import fc from "fast-check";
import type { Health } from "./health.ts";
import { Progress } from "./progress.ts";
import { Publisher } from "./publisher.ts";

const STREAM_FULL = 10077;
const OUT_OF_ORDER = 10070;

/** "lost": stored, but the answer does not come. */
const OUTCOMES = ["stored", "refused", "silent", "lost"] as const;
type Outcome = (typeof OUTCOMES)[number];

interface Options {
  msgID: string;
  expect?: { lastMsgID: string };
}

/** A server that does as it is told with each message it gets; what is beyond the plan is stored. */
class FakeServer {
  /** The ids as they came, again and again. */
  readonly sent: string[] = [];
  /** What is stored, once each: the server recognises a copy by its id. */
  readonly stored = new Map<string, string>();
  /** What was sent out of turn. */
  readonly wrong: string[] = [];
  /** Answers to what is under way, to be given in any order. */
  readonly answers: (() => void)[] = [];
  /** What the publisher knows to have failed and has not sent again. */
  readonly #failed = new Set<string>();
  readonly #plan: Outcome[];

  constructor(plan: readonly Outcome[] = []) {
    this.#plan = [...plan];
  }

  readonly publish = (subject: string, bytes: Uint8Array, { msgID: id, expect }: Options): Promise<void> => {
    if (expect && expect.lastMsgID !== this.sent.at(-1)) this.wrong.push(`${id} behind ${expect.lastMsgID}`);
    const [first] = [...this.#failed].sort((left, right) => Number(left) - Number(right));
    if (first !== undefined && first !== id) this.wrong.push(`${id} before ${first}`);
    this.#failed.delete(id);
    this.sent.push(id);
    const outcome = this.#plan.shift() ?? "stored";
    const contents = `${subject} ${bytes}`;
    if (this.stored.has(id) && this.stored.get(id) !== contents) this.wrong.push(`${id} has changed`);
    if (outcome === "stored" || outcome === "lost") this.stored.set(id, contents);
    return new Promise((resolve, reject) => {
      this.answers.push(() => {
        if (outcome === "stored") return resolve();
        this.#failed.add(id);
        reject(outcome === "refused" ? refusal(STREAM_FULL) : new Error("timeout"));
      });
    });
  };
}

function refusal(code: number): JetStreamApiError {
  return new JetStreamApiError({ code: 503, err_code: code, description: "maximum bytes exceeded" });
}

function publisherOn(server: { publish: FakeServer["publish"] }, signal = new AbortController().signal) {
  const issues = new Set<string>();
  const health = { raise: (code: string) => issues.add(code), resolve: (code: string) => issues.delete(code) };
  const js = { publish: server.publish } as unknown as JetStreamClient;
  return {
    publisher: new Publisher(js, { health: health as unknown as Health, signal, progress: new Progress() }),
    issues,
  };
}

const numbers = (count: number) => Array.from({ length: count }, (_, index) => index);

function publishAll(publisher: Publisher, count: number): { settled: number[]; all: Promise<unknown> } {
  const settled: number[] = [];
  const one = (index: number) => publisher.publish("s", Uint8Array.of(index), String(index));
  const all = Promise.all(numbers(count).map((index) => one(index).then(() => settled.push(index))));
  return { settled, all };
}

/** Has the server answer, what `pick` chooses first, until everything is stored. */
async function answerAll(server: FakeServer, done: Promise<unknown>, pick: (count: number) => number): Promise<void> {
  let over = false;
  void done.then(() => {
    over = true;
  });
  while (!over) {
    await waitFor(() => over || server.answers.length > 0, { what: "something is sent", intervalMs: 1 });
    for (const answer of server.answers.splice(pick(server.answers.length), 1)) answer();
    await new Promise(setImmediate);
  }
}

test("keeps the order, holds back at its limit, and tells each message once it is stored", async (t) => {
  const server = new FakeServer();
  const { publisher, issues } = publisherOn(server);
  const { settled, all } = publishAll(publisher, 200);
  t.true(server.sent.length < 200);
  t.is(publisher.pending, 200);
  await answerAll(server, all, () => 0);
  t.deepEqual(settled, numbers(200));
  t.deepEqual(server.sent, numbers(200).map(String));
  t.is(publisher.pending, 0);
  t.is(issues.size, 0);
});

test("whatever fails is sent again before anything new, in order, with the same id and contents", async (t) => {
  const plan = fc.array(fc.constantFrom(...OUTCOMES), { maxLength: 12 });
  await fc.assert(
    fc.asyncProperty(plan, fc.nat(), async (outcomes, seed) => {
      const server = new FakeServer(outcomes);
      const { publisher, issues } = publisherOn(server);
      const { settled, all } = publishAll(publisher, 80);
      await answerAll(server, all, (count) => seed % count);
      t.deepEqual(server.wrong, []);
      t.deepEqual(
        [...settled].sort((left, right) => left - right),
        numbers(80),
      );
      t.is(server.stored.size, 80);
      t.deepEqual([...issues], []);
    }),
    { numRuns: 15 },
  );
});

test("a broken connection fails what is under way at once", async (t) => {
  const server = new FakeServer();
  const { publisher } = publisherOn(server);
  const { settled, all } = publishAll(publisher, 3);
  server.answers.length = 0;
  publisher.disconnected();
  await answerAll(server, all, () => 0);
  t.deepEqual(settled, [0, 1, 2]);
  t.deepEqual(server.sent, ["0", "1", "2", "0", "1", "2"]);
});

for (const [code, issue] of [
  [STREAM_FULL, "STREAM_FULL"],
  [10023, "DISK_FULL"],
  [10047, "DISK_FULL"],
  [10003, "BUS_REFUSED"],
] as const) {
  test(`the server's error ${code} is ${issue} until something is stored again`, async (t) => {
    let full = true;
    const seen: string[] = [];
    const publish = async (_: string, __: Uint8Array, { msgID }: { msgID: string }) => {
      seen.push(msgID);
      if (full) throw refusal(code);
    };
    const { publisher, issues } = publisherOn({ publish });
    const { all } = publishAll(publisher, 2);
    await waitFor(() => seen.length > 4, { what: "it tries again" });
    t.deepEqual([...issues], [issue]);
    full = false;
    await all;
    t.deepEqual([...issues], []);
    t.deepEqual(seen.slice(-2), ["0", "1"]);
  });
}

test("what may not overtake a refused message is no issue of its own", async (t) => {
  let tries = 0;
  const publish = async () => {
    if (tries++ === 0) throw refusal(OUT_OF_ORDER);
  };
  const { publisher, issues } = publisherOn({ publish });
  await publisher.publish("s", new Uint8Array(0), "0");
  t.is(tries, 2);
  t.deepEqual([...issues], []);
});

test("a bus that stays away is an issue; a stop ends the trying", async (t) => {
  const stopping = new AbortController();
  let tries = 0;
  const publish = async () => {
    tries++;
    throw new Error("no answer");
  };
  const { publisher, issues } = publisherOn({ publish }, stopping.signal);
  void publisher.publish("s", new Uint8Array(0), "0");
  await waitFor(() => issues.has("BUS_UNREACHABLE"), { what: "the issue" });
  stopping.abort();
  await new Promise(setImmediate);
  const before = tries;
  await new Promise(setImmediate);
  t.is(tries, before);
});
