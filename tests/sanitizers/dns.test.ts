// The addon's reader of DNS messages against dns-packet's, on messages that it made at random.
import { execFileSync, spawnSync } from "node:child_process";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { temporaryFolder } from "@nightjar/test-support";
import test from "ava";
import { type Answer, decode, encode, type Packet } from "dns-packet";
import fc from "fast-check";

const PROBE = fileURLToPath(new URL("../../native-probe", import.meta.url));
const MESSAGES = 2_000;
const NUMBERS: Readonly<Record<string, number>> = {
  A: 1,
  NS: 2,
  CNAME: 5,
  PTR: 12,
  MX: 15,
  TXT: 16,
  AAAA: 28,
  SRV: 33,
};
const NAME_TYPES = ["NS", "CNAME", "PTR"] as const;

const label = fc.stringMatching(/^[a-z0-9_-]{1,20}$/);
const name = fc.array(label, { minLength: 1, maxLength: 5 }).map((labels) => labels.join("."));
const ttl = fc.nat(0x7fffffff);
const answer: fc.Arbitrary<Answer> = fc.oneof(
  fc.record({ type: fc.constant("A" as const), name, ttl, data: fc.ipV4() }),
  fc.record({ type: fc.constant("AAAA" as const), name, ttl, data: fc.constantFrom("2001:db8::7", "::1", "fe80::1") }),
  fc.record({ type: fc.constantFrom(...NAME_TYPES), name, ttl, data: name }),
  fc.record({ type: fc.constant("TXT" as const), name, ttl, data: fc.string() }),
  fc.record({
    type: fc.constant("MX" as const),
    name,
    ttl,
    data: fc.record({ preference: fc.nat(100), exchange: name }),
  }),
  fc.record({ type: fc.constant("SRV" as const), name, ttl, data: fc.record({ port: fc.nat(65_535), target: name }) }),
);
const packet: fc.Arbitrary<Packet> = fc.record({
  type: fc.constantFrom("query" as const, "response" as const),
  id: fc.nat(65_535),
  questions: fc
    .record({ type: fc.constantFrom("A" as const, "AAAA" as const, "TXT" as const), name })
    .map((question) => [question]),
  answers: fc.array(answer, { maxLength: 8 }),
});

/** What a record points to, as the addon writes it. */
function pointsTo({ type, data }: Answer & { data?: unknown }): string {
  if (type === "TXT") return "";
  if (type === "MX") return (data as { exchange: string }).exchange;
  if (type === "SRV") return (data as { target: string }).target;
  return String(data);
}

/** The message as the printer of the addon's reader shows it. */
function expected(bytes: Buffer): object {
  const { id, type, questions, answers } = decode(bytes);
  return {
    malformed: false,
    id,
    response: type === "response",
    rcode: 0,
    name: questions?.[0]?.name,
    type: NUMBERS[questions?.[0]?.type ?? ""],
    answers: answers?.map((each) => ({
      name: each.name,
      type: NUMBERS[each.type],
      ttl: "ttl" in each ? each.ttl : undefined,
      text: pointsTo(each),
    })),
  };
}

test("what dns-packet writes is read as dns-packet reads it", (t) => {
  const printer = join(temporaryFolder(t), "dns-print");
  const sources = ["fuzz/dns_print.cc", "addon/dns.cc"].map((path) => join(PROBE, path));
  execFileSync("clang++", ["-std=c++17", "-O1", "-fsanitize=address,undefined", ...sources, "-o", printer]);
  const messages = fc.sample(packet, MESSAGES).map((one) => encode(one));
  const input = messages.map((bytes) => bytes.toString("hex")).join("\n");
  const { status, stdout, stderr } = spawnSync(printer, { input, encoding: "utf8", maxBuffer: 64 * 1024 * 1024 });
  t.is(status, 0, stderr);
  const lines = stdout.trim().split("\n");
  t.is(lines.length, MESSAGES);
  for (const [index, bytes] of messages.entries()) t.deepEqual(JSON.parse(lines[index] ?? ""), expected(bytes));
});
