// All of a corpus of secrets is found, next to nothing of what only looks like one; and what else a redactor promises.
import test from "ava";
import fc from "fast-check";
import { Maker, makeLookalikes, makeSecrets, type Sample, tokenShapes } from "./corpus.ts";
import { forms, looseForms } from "./forms.ts";
import { createRedactor, KEY_BYTES } from "./redactor.ts";

const SEED = 20_261_122;
const CORPUS_MIN = 300;
const LOOKALIKES_TAKEN_MAX = 0.01;
const MIB = 1024 * 1024;
const HOSTILE_CHARACTERS = MIB / 4;
const TOLD_US_MIN = 100_000;

const redactor = createRedactor({ key: Buffer.alloc(KEY_BYTES, 7) });

/** Words as a shell makes them, as far as the corpus goes. */
function split(text: string): string[] {
  return [...text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)].map((one) => (one[1] ?? one[2] ?? one[3]) as string);
}

/** What of a sample's secrets is still there. */
function left({ given, secrets }: Sample): string[] {
  const text = redactor.text(given);
  return secrets.filter((secret) => text.includes(secret));
}

test("every secret of the corpus is found, wherever it stands", (t) => {
  const samples = makeSecrets(SEED);
  t.true(samples.length >= CORPUS_MIN);
  const missed = samples.filter((sample) => left(sample).length > 0);
  t.log(`secrets found: ${samples.length - missed.length} of ${samples.length}`);
  t.deepEqual(
    missed.map(({ what, given }) => `${what}: ${given}`),
    [],
  );
});

test("secrets of the corpus are found among arguments too", (t) => {
  // Not what is no command line: blocks of PEM, a dictionary, a line of a file.
  const samples = makeSecrets(SEED + 1).filter(({ given }) => !/-----|^\{'|^pass\w+[ :]/.test(given));
  const missed = samples.filter(({ given, secrets }) => {
    const args = redactor.args(split(given));
    return secrets.some((secret) => args.some((arg) => arg.includes(secret)));
  });
  t.deepEqual(
    missed.map(({ what, given }) => `${what}: ${given}`),
    [],
  );
});

test("at most one in a hundred look-alikes is taken for a secret", (t) => {
  const samples = makeLookalikes(SEED);
  t.true(samples.length >= CORPUS_MIN);
  const taken = samples.filter(({ given }) => redactor.text(given) !== given);
  t.log(`look-alikes taken for secrets: ${taken.length} of ${samples.length}`);
  for (const { what, given } of taken) t.log(`${what}: ${given}\n  ${redactor.text(given)}`);
  t.true(taken.length <= samples.length * LOOKALIKES_TAKEN_MAX);
});

test("each form of the tables has its sample", (t) => {
  const kinds = new Set<string>();
  for (const [, ...shape] of tokenShapes) {
    const secret = new Maker(SEED).build(shape);
    for (const [, kind] of redactor.text(secret).matchAll(/\[redacted:([a-z0-9-]+):/g)) kinds.add(kind as string);
  }
  const without = [...forms, ...looseForms].map(({ kind }) => kind).filter((kind) => !kinds.has(kind));
  t.deepEqual(without, []);
});

test("the same secret has the same token wherever it stands, and another with another key", (t) => {
  const tokens = [
    "PGPASSWORD=Xy12ab34 psql",
    "app --password Xy12ab34",
    "mysql -pXy12ab34",
    "postgres://u:Xy12ab34@db/x",
    "curl -u bob:Xy12ab34 https://a",
    '{"password":"Xy12ab34"}',
  ].map((text) => /\[redacted:password:[0-9a-f]{8}\]/.exec(redactor.text(text))?.[0]);
  t.truthy(tokens[0]);
  t.is(new Set(tokens).size, 1);
  const other = createRedactor({ key: Buffer.alloc(KEY_BYTES, 8) });
  t.false(other.text("app --password Xy12ab34").includes(tokens[0] as string));
});

const pieces = fc.oneof(
  fc.string({ unit: "binary", maxLength: 40 }),
  fc.string({ maxLength: 40 }),
  fc.constantFrom(...makeSecrets(SEED + 2).map(({ given }) => given)),
  fc.constantFrom(...["password", "=", ":", "token", '"', "'", "\\", "-p", " ", "://", "@", "eyJ", ".", "mysql ", "]"]),
  fc.constantFrom(
    ...["[redacted:", "[redacted:password:0123abcd]", "-----BEGIN ", "PRIVATE KEY-----", "curl -u ", "a:"],
  ),
);
const texts = fc.array(pieces, { maxLength: 12 }).map((parts) => parts.join(""));

test("redacting twice is redacting once; nothing throws", (t) => {
  fc.assert(
    fc.property(texts, fc.array(texts, { maxLength: 6 }), (text, args) => {
      const once = redactor.text(text);
      const argsOnce = redactor.args(args);
      const variable = redactor.variable(text);
      return (
        redactor.text(once) === once &&
        redactor.args(argsOnce).join("\0") === argsOnce.join("\0") &&
        redactor.variable(variable) === variable
      );
    }),
    { numRuns: 300 },
  );
  t.pass();
});

/** What a rule begins with, again and again: a search that looks through the rest at each would take hours. */
const hostile: readonly string[] = [
  ...["eyJ", "eyJ.", "eyJa-", "AKIA", "ghp_", "xoxb-", "password=", 'password:"', 'password="', "password='a\\'"],
  ...["://", "://a:", "://a:b@", "@", "a@", "a.a@", "@a.", "curl -u ", "curl ", "mysql -p", "mysql -p'", "-----BEGIN "],
  ...["-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----a!", "authorization: ", "authorization: digest "],
  ...["a", "A", "0", ".", "-", "_", "/", " ", "=", "\\", '"', "'", "[redacted:", "[redacted:password:0123abcd]"],
  ...["Private-Lines: 1\n", "$6$", "$6$a", "Bearer ", "token ", "--token ", "--password", "sl.", "a:", "1/1", "%40"],
];

test("a hostile text costs bounded time", (t) => {
  for (const piece of hostile) {
    const text = piece.repeat(Math.ceil(HOSTILE_CHARACTERS / piece.length));
    const before = process.cpuUsage();
    const redacted = redactor.text(text);
    const { user } = process.cpuUsage(before);
    t.is(typeof redacted, "string");
    if (user > TOLD_US_MIN) t.log(`${Math.round(user / 1_000)} ms of CPU for 256 KiB of ${JSON.stringify(piece)}`);
  }
});

test("an argument of 1 MiB costs bounded time", (t) => {
  for (const piece of ["a", "password=", "curl -u a:b ", "eyJa."]) {
    const text = piece.repeat(Math.ceil(MIB / piece.length));
    const before = process.cpuUsage();
    const args = redactor.args(["mysql", `-p${text}`, text]);
    const { user } = process.cpuUsage(before);
    t.regex(args[1] as string, /^-p\[redacted:password:[0-9a-f]{8}\]$/);
    t.log(`${Math.round(user / 1_000)} ms of CPU for 2 MiB of ${JSON.stringify(piece)}`);
  }
});
