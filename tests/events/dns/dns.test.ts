// Names are asked for as resolvers of many kinds do it, of a server in a network of the test's own; questions and
// answers are read back with the process that asked.
import { randomInt } from "node:crypto";
import { join } from "node:path";
import { Call, DescriptorType } from "@nightjar/proto";
import { temporaryFolder } from "@nightjar/test-support";
import type { ExecutionContext } from "ava";
import { encode, type Packet } from "dns-packet";
import { compileDeed, run } from "../support/deed.ts";
import { balances, kernelTest, type Seen, text, type Watch, watchKernel } from "../support/kernel.ts";
import { AF_INET, AF_INET6, LOOPBACK_4, LOOPBACK_6 } from "../support/sockets.ts";

const TYPES = ["dns", "exit"] as const;
const PORT = 53;
const A = 1;
const CNAME = 5;
const AAAA = 28;
const INTERNET = 1;
const NAME_ERROR = 3;
const IPV4 = Uint8Array.of(192, 0, 2, 7);
const IPV6 = Uint8Array.of(0x20, 1, 0x0d, 0xb8, ...new Uint8Array(11), 7);

type Dns = Seen<"dns">;

/** Runs a command beside the server, and gives what it asked and was answered. */
async function beside(t: ExecutionContext, watch: Watch, command: readonly string[]): Promise<Dns[]> {
  const inside = join(import.meta.dirname, "inside.ts");
  const args = ["--net", "--mount", process.execPath, inside, temporaryFolder(t), ...command];
  const done = JSON.parse(run("unshare", args).stdout) as { pid: number; code: number; printed: string };
  t.is(done.code, 0, done.printed);
  await watch.ended(done.pid);
  return watch.of("dns", ({ pid }) => pid === done.pid);
}

interface Asked {
  question: Dns | undefined;
  answer: Dns | undefined;
  events: Dns[];
  id: number;
}

async function ask(
  t: ExecutionContext,
  watch: Watch,
  way: string,
  name: string,
  { type = "A" as "A" | "AAAA" | "TXT", family = AF_INET } = {},
): Promise<Asked> {
  const packet: Packet = { type: "query", id: randomInt(1, 65_536), questions: [{ type, name, class: "IN" }] };
  const query = encode(packet).toString("hex");
  const events = await beside(t, watch, [compileDeed(t, import.meta.dirname).path, way, String(family), query]);
  const [question, answer] = [false, true].map((wanted) => events.find(({ data }) => data.isResponse === wanted));
  const id = packet.id ?? 0;
  for (const event of events) {
    t.like(event, { call: Call.DNS });
    t.like(event.data, { id, operation: 0, questionCount: 1, malformed: false, truncated: false });
    t.is(event.data.descriptor?.remote?.port, PORT);
    t.is(text(event.data.questionName), name.toLowerCase());
  }
  return { question, answer, events, id };
}

const results = (event: Dns | undefined): string[] => (event?.data.results ?? []).map(text);

kernelTest("read and written like a file: an alias and an address", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { question, answer, events } = await ask(t, watch, "file", "WWW.Example.test");
  t.is(events.length, 2);
  t.like(question?.data, { carrier: Call.WRITE, questionType: A, questionClass: INTERNET, answerCount: 0 });
  t.like(answer?.data, { carrier: Call.READ, questionType: A, responseCode: 0, answerCount: 2 });
  t.like(question?.data.descriptor, { type: DescriptorType.IPV4, connected: true });
  t.like(question?.data.descriptor?.remote, { address: LOOPBACK_4 });
  t.deepEqual(results(question), []);
  t.deepEqual(results(answer), ["host.example.test", "192.0.2.7"]);
  const [alias, address] = answer?.data.answers ?? [];
  t.like(alias, { type: CNAME, class: INTERNET, timeToLiveS: 60 });
  t.is(text(alias?.name ?? new Uint8Array()), "www.example.test");
  t.is(text(alias?.target ?? new Uint8Array()), "host.example.test");
  t.like(address, { type: A, address: IPV4 });
});

kernelTest("over IPv6, for an IPv6 address, the server named in each message", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const options = { type: "AAAA", family: AF_INET6 } as const;
  const byName = await ask(t, watch, "name", "host.example.test", options);
  t.is(byName.events.length, 2);
  t.like(byName.question?.data, { carrier: Call.SENDTO, questionType: AAAA });
  t.like(byName.question?.data.descriptor, { type: DescriptorType.IPV6, connected: false });
  t.like(byName.question?.data.descriptor?.remote, { address: LOOPBACK_6 });
  t.is(byName.answer?.data.carrier, Call.RECVFROM);
  t.deepEqual(results(byName.answer), ["2001:db8::7"]);
  t.like(byName.answer?.data.answers[0], { type: AAAA, address: IPV6 });
  const byMessage = await ask(t, watch, "message", "host.example.test", options);
  t.deepEqual(
    byMessage.events.map(({ data }) => data.carrier),
    [Call.SENDMSG, Call.RECVMSG],
    "who only peeks has not read",
  );
});

kernelTest("two questions in one call are two", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { events } = await ask(t, watch, "twice", "host.example.test");
  t.deepEqual(
    events.map(({ data }) => [data.carrier, data.isResponse]),
    [
      [Call.SENDMMSG, false],
      [Call.SENDMMSG, false],
      [Call.RECVFROM, true],
      [Call.RECVFROM, true],
    ],
  );
});

kernelTest("through TCP, whether the length comes with the message or before it", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { question, answer, events } = await ask(t, watch, "tcp", "host.example.test");
  t.is(events.length, 2);
  t.is(question?.data.carrier, Call.WRITEV);
  t.is(answer?.data.carrier, Call.RECVFROM);
  t.deepEqual(results(answer), ["192.0.2.7"]);
});

kernelTest("a name that is not there", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const { answer } = await ask(t, watch, "file", "nothing.example.test");
  t.like(answer?.data, { responseCode: NAME_ERROR, answerCount: 0 });
});

kernelTest("the C library and Node's own resolver", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  const library = await beside(t, watch, ["getent", "ahosts", "www.example.test"]);
  const types = library.filter(({ data }) => !data.isResponse).map(({ data }) => data.questionType);
  t.deepEqual([...new Set(types)].sort(), [A, AAAA]);
  t.true(library.some((event) => results(event).includes("192.0.2.7")));
  t.true(library.some((event) => results(event).includes("2001:db8::7")));
  const script = `require("node:dns").resolve4("www.example.test", (error) => process.exit(error ? 1 : 0))`;
  const node = await beside(t, watch, [process.execPath, "-e", script]);
  t.true(node.some(({ data }) => !data.isResponse && text(data.questionName) === "www.example.test"));
  t.deepEqual(results(node.find(({ data }) => data.isResponse)), ["host.example.test", "192.0.2.7"]);
});

kernelTest("the same bytes through a pipe are of no concern, nor is a port that is not asked for", async (t) => {
  const watch = watchKernel(t, { types: TYPES });
  t.deepEqual((await ask(t, watch, "pipe", "host.example.test")).events, []);
  watch.probe.setDnsPorts([5353, 5355]);
  t.deepEqual((await ask(t, watch, "name", "host.example.test")).events, []);
  t.throws(() => watch.probe.setDnsPorts([0]), { instanceOf: RangeError });
  await watch.probe.stop();
  t.true(balances(watch.ledger("dns")));
});
