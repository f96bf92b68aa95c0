// Names of addresses from DNS answers: for whom, for how long, over which aliases, and how many.
import { fromBinary, type MessageInitShape } from "@bufbuild/protobuf";
import { type AddressName, BatchSchema, type DnsSchema } from "@nightjar/proto";
import test from "ava";
import { type Actor, connect, dns, scanned, text } from "../fixture.ts";
import { momentOf } from "../scan.ts";
import {
  AddressNames,
  ANSWERS_MAX,
  ANSWERS_PER_ADDRESS_MAX,
  NAME_KEPT_S_MAX,
  NAME_KEPT_S_MIN,
  NAMES_PER_ROW_MAX,
} from "./address-names.ts";

const A = 1;
const CNAME = 5;
const NS_PER_S = 1_000_000_000n;
const NOW = 1_000n * NS_PER_S;
const ADDRESS = Uint8Array.of(192, 0, 2, 7);
const MAPPED = Uint8Array.of(...new Array(10).fill(0), 0xff, 0xff, ...ADDRESS);
const curl: Actor = { pid: 100, start: 5n };
const other: Actor = { pid: 200, start: 6n };

type DnsInit = MessageInitShape<typeof DnsSchema>;
type AnswerInit = NonNullable<DnsInit["answers"]>[number];

const alias = (name: string, target: string, timeToLiveS = 60): AnswerInit => ({
  ...{ name: text(name), type: CNAME, class: 1, timeToLiveS, target: text(target) },
});
const address = (name: string, value: Uint8Array, timeToLiveS = 60): AnswerInit => ({
  ...{ name: text(name), type: A, class: 1, timeToLiveS, address: value as Uint8Array<ArrayBuffer> },
});

function learn(names: AddressNames, asker: Actor, question: string, answers: AnswerInit[], more: object = {}): void {
  const init = { questionName: text(question), isResponse: true, answers, ...more };
  names.learn(...scanned({ ...dns(asker, init), timeNs: NOW }));
}

/** Seconds after the answers came. */
function namesFor(names: AddressNames, asker: Actor, afterS = 0, of = ADDRESS): readonly string[] | undefined {
  const time = Number(NOW + BigInt(afterS) * NS_PER_S);
  return names.lookup(of, { pid: asker.pid, start: momentOf(asker.start) }, time)?.names;
}

function rowsOf(names: AddressNames): AddressName[] {
  return fromBinary(BatchSchema, new Uint8Array(names.encode())).addressNames;
}

test("the name asked for comes first, the aliases that led to the address behind it", (t) => {
  const names = new AddressNames();
  const answers = [alias("edge.cdn.test", "pop.cdn.test"), alias("www.example.test", "edge.cdn.test")];
  learn(names, curl, "www.example.test", [...answers, address("pop.cdn.test", ADDRESS)]);
  t.deepEqual(namesFor(names, curl), ["www.example.test", "edge.cdn.test", "pop.cdn.test"]);
  t.deepEqual(namesFor(names, curl, 0, MAPPED), namesFor(names, curl), "IPv4 written as IPv6 is the same address");
});

test("what does not belong to the name asked for is not believed, nor questions and failures", (t) => {
  const names = new AddressNames();
  learn(names, curl, "evil.test", [address("bank.test", ADDRESS)]);
  learn(names, curl, "evil.test", [alias("bank.test", "evil.test"), address("bank.test", ADDRESS)]);
  learn(names, curl, "a.test", [address("a.test", ADDRESS)], { isResponse: false });
  learn(names, curl, "a.test", [address("a.test", ADDRESS)], { responseCode: 3 });
  t.is(namesFor(names, curl), undefined);
  t.is(names.size, 0);
});

test("aliases that go round in a circle end", (t) => {
  const names = new AddressNames();
  learn(names, curl, "a.test", [alias("a.test", "b.test"), alias("b.test", "a.test"), address("b.test", ADDRESS)]);
  t.deepEqual(namesFor(names, curl), ["a.test", "b.test"]);
});

test("a process has the names it asked for; who did not ask has those of all others, the last first", (t) => {
  const names = new AddressNames();
  learn(names, curl, "shop.test", [address("shop.test", ADDRESS)]);
  learn(names, other, "tracker.test", [address("tracker.test", ADDRESS)]);
  t.deepEqual(namesFor(names, curl), ["shop.test"]);
  t.deepEqual(namesFor(names, other), ["tracker.test"]);
  t.deepEqual(namesFor(names, { pid: 300, start: 7n }), ["tracker.test", "shop.test"]);
  t.deepEqual(namesFor(names, { ...curl, start: 9n }), ["tracker.test", "shop.test"], "the pid is another's now");
  t.is(names.lookup(ADDRESS, { pid: 100, start: momentOf(5) }, Number(NOW))?.isOwn, true);
});

test("an answer holds for its time to live within bounds, and longer while its process goes on using it", (t) => {
  const names = new AddressNames();
  const [short, long] = [Uint8Array.of(192, 0, 2, 1), Uint8Array.of(192, 0, 2, 2)];
  learn(names, curl, "short.test", [address("short.test", short, 1)]);
  learn(names, curl, "long.test", [address("long.test", long, 2 ** 31)]);
  t.is(namesFor(names, other, NAME_KEPT_S_MIN, short), undefined);
  t.deepEqual(
    namesFor(names, other, NAME_KEPT_S_MIN - 1, short),
    ["short.test"],
    "who did not ask keeps nothing alive",
  );
  t.deepEqual(namesFor(names, curl, NAME_KEPT_S_MIN - 1, short), ["short.test"]);
  t.deepEqual(namesFor(names, curl, 2 * NAME_KEPT_S_MIN - 2, short), ["short.test"]);
  t.deepEqual(namesFor(names, other, NAME_KEPT_S_MAX - 1, long), ["long.test"]);
  t.is(namesFor(names, other, NAME_KEPT_S_MAX, long), undefined);
});

test("the least time to live on the way counts", (t) => {
  const names = new AddressNames();
  learn(names, curl, "a.test", [alias("a.test", "b.test", 3_600), address("b.test", ADDRESS, 86_400)]);
  t.deepEqual(namesFor(names, other, 3_599), ["a.test", "b.test"]);
  t.is(namesFor(names, other, 3_600), undefined);
});

test("answers are bounded, of one address and in all; what goes is counted", (t) => {
  const names = new AddressNames();
  for (let number = 0; number <= ANSWERS_PER_ADDRESS_MAX; number++) {
    const name = `${number}.test`;
    learn(names, { pid: 1_000 + number, start: 1n }, name, [address(name, ADDRESS)]);
  }
  t.is(names.counts.evicted, 1);
  const kept = namesFor(names, other);
  t.is(kept?.length, NAMES_PER_ROW_MAX);
  t.false(kept?.includes("0.test"));
  for (let number = 0; number < ANSWERS_MAX; number += 256) {
    const many = Array.from({ length: 256 }, (_, at) =>
      address("many.test", Uint8Array.of(10, number >>> 16, (number + at) >>> 8, number + at)),
    );
    learn(names, curl, "many.test", many);
  }
  t.is(names.size, ANSWERS_MAX);
  t.is(namesFor(names, other), undefined, "resolved longest ago");
  t.is(names.counts.evicted, 1 + ANSWERS_PER_ADDRESS_MAX);
});

test("a batch has a row for who asked, and one for all others", (t) => {
  const names = new AddressNames();
  learn(names, curl, "shop.test", [address("shop.test", ADDRESS)]);
  names.begin();
  for (const actor of [curl, other, curl, { pid: 300, start: 7n }]) names.add(...connectTo(actor));
  t.like(rowsOf(names), [
    { address: ADDRESS, names: ["shop.test"], pid: 100, startTimeNs: 5n },
    { address: ADDRESS, names: ["shop.test"], pid: 0, startTimeNs: 0n },
  ]);
  t.is(rowsOf(names).length, 2);
  names.begin();
  t.deepEqual(rowsOf(names), []);
});

test("what was learned within a batch holds for the events behind it", (t) => {
  const names = new AddressNames();
  learn(names, curl, "unrelated.test", [address("unrelated.test", Uint8Array.of(192, 0, 2, 9))]);
  names.begin();
  names.add(...connectTo(curl));
  t.deepEqual(rowsOf(names), []);
  learn(names, curl, "shop.test", [address("shop.test", ADDRESS)]);
  names.add(...connectTo(curl));
  t.like(rowsOf(names), [{ names: ["shop.test"] }]);
});

test("an answer that cannot be read is counted", (t) => {
  const names = new AddressNames();
  const [event, bytes] = scanned(dns(curl, { questionName: text("a.test"), isResponse: true }));
  bytes[event.dataStart] = 0xff;
  names.learn(event, bytes);
  t.is(names.counts.malformed, 1);
});

function connectTo(actor: Actor) {
  return scanned({ ...connect(actor, ADDRESS, 443), timeNs: NOW });
}
