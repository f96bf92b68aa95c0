// The compiled engine against the plain meaning of its rules: random rules over random events, with no difference.
import { BatchReader } from "@nightjar/events";
import { Call } from "@nightjar/proto";
import test from "ava";
import fc from "fast-check";
import { loadRules } from "../files/load.ts";
import { bytes, type EventInit, encode, exec, type Line, open, processes } from "./batch.fixture.ts";
import { compileRules } from "./engine.ts";
import { EventView } from "./event-view.ts";
import { getterOf, interpret } from "./interpret.ts";

const VERDICTS_MIN = 100_000;
/** A round of cases, which shrinks to the least that differs; the sizes below are those of a middling case. */
const RUNS = 50;
const RULES = 20;
const EVENTS = 20;

/** Few words, so that what rules ask for and what events hold meet often. */
const PATHS = ["/etc/shadow", "/etc/ssh/ssh_config", "/root/.ssh/id_rsa", "/tmp/x", "/", "/bin/Sh", "/ä/Ö", "rel"];
const NAMES = ["sh", "bash", "Bash", "sshd", "vi", "ä", "cat"];
const PARTS = ["/etc", "ss", "sh", "SH", "/", ".", "id_rsa", "ä", "Ö", "x", "", "etc/ssh", "-c", "/tmp/"];

const word = fc.constantFrom(...PATHS, ...NAMES, ...PARTS);
const quoted = (text: string): string => `"${text}"`;
const textField = fc.constantFrom(
  ...["fd.name", "fd.directory", "fd.filename", "fd.nameraw", "fs.path.name", "proc.name", "proc.cmdline", "proc.args"],
  ...["proc.exe", "proc.pname", "proc.aname", "proc.aname[2]", "user.name", "evt.type", "evt.arg.flags", "fd.typechar"],
  ...["tolower(fd.name)", "basename(proc.exepath)", "proc.env[HOME]", "evt.res", "container.id"],
);
const single = fc.constantFrom(
  ...["=", "!=", "contains", "icontains", "startswith", "endswith", "glob", "iglob", "pmatch"],
);
/** evt.type takes only names of events, lists only operators of lists. */
const textTest = fc
  .tuple(textField, single, fc.array(word, { minLength: 1, maxLength: 3 }), fc.boolean())
  .map(([field, operator, words, many]) => {
    if (field === "evt.type") return `evt.type ${many ? "in (open, execve)" : "!= openat"}`;
    if (many) return `${field} in (${words.map(quoted).join(", ")})`;
    return operator === "pmatch"
      ? `${field} pmatch (${words.map(quoted).join(", ")})`
      : `${field} ${operator} ${quoted(words[0] ?? "")}`;
  });
const otherTest = fc.constantFrom(
  ...["evt.is_open_write = true", "fd.num >= 0", "proc.pid < 1000", "evt.failed = false", "fd.name exists"],
  ...["proc.name = val(proc.pname)", "fd.name startswith val(proc.exe)", "user.uid in (0, 7)", 'fd.name regex "/e.*"'],
  ...[
    "evt.rawres < 0",
    "fd.sport = 22",
    "fd.rip != 10.0.0.1",
    'proc.name = oneof ("sh", "vi")',
    'proc.args contains allof ("s", "-c")',
  ],
);
const condition = fc.letrec<{ node: string }>((tie) => ({
  node: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.oneof({ weight: 4, arbitrary: textTest }, { weight: 1, arbitrary: otherTest }),
    fc.array(tie("node"), { minLength: 2, maxLength: 3 }).map((parts) => `(${parts.join(" and ")})`),
    fc.array(tie("node"), { minLength: 2, maxLength: 3 }).map((parts) => `(${parts.join(" or ")})`),
    tie("node").map((part) => `not (${part})`),
  ),
})).node;

/** The same in Sigma's language, whose texts ignore case: a detection, and whether it is to be there. */
const sigmaField = fc.constantFrom("Image", "CommandLine", "ParentImage", "CurrentDirectory", "User");
const sigmaRule = fc.record({
  field: fc.oneof(sigmaField, fc.constant("TargetFilename")),
  modifiers: fc.constantFrom("", "|contains", "|startswith", "|endswith", "|contains|cased", "|contains|all", "|re"),
  words: fc.array(
    word.filter((text) => text !== ""),
    { minLength: 1, maxLength: 3 },
  ),
  condition: fc.constantFrom("s", "not s"),
});
type SigmaRule = typeof sigmaRule extends fc.Arbitrary<infer T> ? T : never;

const path = fc.constantFrom(...PATHS);
const event: fc.Arbitrary<EventInit> = fc.oneof(
  fc.tuple(path, fc.constantFrom(0, 1, 0o101)).map(([name, flags]) => open(name, flags)),
  path.map((name): EventInit => {
    return { call: Call.OPEN, result: -2n, data: { case: "open", value: { requested: bytes(name) } } };
  }),
  path.map((name) => exec(name, [name, "-c", "x"])),
  path.map((name): EventInit => {
    return { call: Call.UNLINK, data: { case: "unlink", value: { requested: bytes(name) } } };
  }),
);
const line: fc.Arbitrary<Line> = fc.array(
  fc.tuple(fc.constantFrom(...NAMES), path, fc.constantFrom(...NAMES), path).map((parts) => parts),
  { minLength: 1, maxLength: 4 },
);

test(`${VERDICTS_MIN} verdicts: index and generated code say what the plain meaning says`, (t) => {
  let verdicts = 0;
  let yes = 0;
  const conditions = fc.array(condition, { minLength: 1, maxLength: 2 * RULES });
  const sigmaRules = fc.array(sigmaRule, { maxLength: RULES });
  const events = fc.array(event, { minLength: 1, maxLength: 2 * EVENTS });
  while (verdicts < VERDICTS_MIN) {
    fc.assert(
      fc.property(conditions, sigmaRules, events, line, (texts, sigma, happened, ancestors) => {
        const bytesOfBatch = batchOf(happened, ancestors);
        const rules = loaded(texts, sigma);
        verdicts += rules.length * happened.length;
        const expected = new Set(plainly(rules, bytesOfBatch));
        yes += expected.size;
        const matches = compileRules(rules).matchBatch(bytesOfBatch);
        const found = new Set(matches.map(({ rule, eventIndex }) => `event ${eventIndex}: ${rule.name}`));
        const all = [...expected, ...found];
        const different = all.find((each) => expected.has(each) !== found.has(each));
        if (different !== undefined) throw new Error(`differs in ${different}`);
      }),
      { numRuns: RUNS },
    );
  }
  t.log(`${verdicts} verdicts, ${yes} of them true`);
  t.true(yes > verdicts / 100 && yes < verdicts / 2, "neither answer is rare");
});

function batchOf(happened: readonly EventInit[], ancestors: Line): Uint8Array {
  const named = happened.map((each) => ({ name: bytes(ancestors[0]?.[0] ?? ""), ...each }) as EventInit);
  return encode(
    named,
    processes(ancestors),
    happened.map(() => 1),
  );
}

/** All of the rules load: a refused one would be compared with nothing. */
function loaded(texts: readonly string[], sigma: readonly SigmaRule[]) {
  const items = texts.map((text, at) => ({
    ...{ rule: `r${at}`, desc: "d", condition: text, output: "o", priority: "INFO" },
  }));
  const documents = sigma.map(({ field, modifiers, words, condition }, at) => ({
    title: `s${at}`,
    logsource: { product: "linux", category: field === "TargetFilename" ? "file_event" : "process_creation" },
    detection: { s: { [`${field}${modifiers}`]: words }, condition },
  }));
  // JSON is YAML.
  const { rules, problems } = loadRules([
    { name: "falco.yaml", text: JSON.stringify(items) },
    { name: "sigma.yaml", text: documents.map((each) => JSON.stringify(each)).join("\n---\n") },
  ]);
  const errors = problems.filter(({ severity }) => severity === "error");
  if (errors.length > 0) throw new Error(JSON.stringify(errors[0]));
  return rules;
}

function plainly(rules: ReturnType<typeof loaded>, bytesOfBatch: Uint8Array): string[] {
  const view = new EventView();
  const batch = new BatchReader(bytesOfBatch);
  view.open(batch);
  const found: string[] = [];
  for (let index = 0; index < batch.length; index++) {
    view.select(index);
    for (const { name, expression } of rules) {
      if (interpret(expression, (term) => getterOf(term)(view))) found.push(`event ${index}: ${name}`);
    }
  }
  return found;
}
