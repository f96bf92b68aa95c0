// What rules files say beside rules: what is put behind outputs, and fields with a value of their own.
import test from "ava";
import { batchOf, open } from "../engine/batch.fixture.ts";
import { compileRules } from "../engine/engine.ts";
import { type LoadResult, loadRules } from "./load.ts";

const RULES = `- rule: One
  desc: d
  condition: evt.type = openat
  output: one
  priority: INFO
  tags: [a]
- rule: Two
  desc: d
  condition: evt.type = openat
  output: two
  priority: Warn
  tags: [a, b]
`;

function load(...texts: string[]): LoadResult {
  return loadRules(texts.map((text, at) => ({ name: `${at}.yaml`, text })));
}

function outputs({ rules }: LoadResult): string[] {
  return rules.map(({ output }) => output);
}

function matched(result: LoadResult) {
  const batch = batchOf(open("/etc/hosts", 0), [["vi", "/usr/bin/vi", "vi"]]);
  return compileRules(result.rules).matchBatch(batch);
}

const ENTRIES: readonly (readonly [what: string, entry: string, one: string, two: string])[] = [
  ["every rule", "extra_output: on %evt.cpu", "one on %evt.cpu", "two on %evt.cpu"],
  ["rules of a tag", "{match: {tags: [b]}, extra_output: x}", "one", "two x"],
  ["rules with all tags", "{match: {tags: [b, c]}, extra_output: x}", "one", "two"],
  ["a rule", "{match: {rule: One}, extra_output: x}", "one x", "two"],
  ["a source", "{match: {source: syscall}, extra_output: x}", "one x", "two x"],
  ["a source there is not", "{match: {source: k8s_audit}, extra_output: x}", "one", "two"],
];

for (const [what, entry, one, two] of ENTRIES) {
  test(`something is appended to the output of ${what}`, (t) => {
    const result = load(RULES, `- append_output:\n    - ${entry}\n`);
    t.deepEqual(result.problems, []);
    t.deepEqual(outputs(result), [one, two]);
  });
}

test("entries add up, whichever file they are in, and matches have what they say", (t) => {
  const result = load(
    "- append_output: [{extra_output: by %proc.name}]\n",
    RULES,
    "- append_output:\n    - match: {rule: Two}\n      extra_output: of %static.site\n",
    "- static_fields: {site: Berlin}\n",
  );
  t.deepEqual(result.problems, []);
  t.deepEqual(
    matched(result).map(({ output }) => output),
    ["one by vi", "two by vi of Berlin"],
  );
});

test("extra fields are a field's value under its name, or a text under a name", (t) => {
  const fields = "[proc.name, 'proc.aname[1]', fd.sip, who: '%proc.name at %fd.sip', where: '%static.site']";
  const result = load(RULES, `- append_output: [{extra_fields: ${fields}}]\n- static_fields: {site: Berlin}\n`);
  t.deepEqual(result.problems, []);
  const [first] = matched(result);
  const { "evt.type": type, ...rest } = first?.fields ?? {};
  t.is(type, "openat");
  t.deepEqual(rest, { "proc.name": "vi", "proc.aname[1]": "bash", who: "vi at <NA>", where: "Berlin" });
});

test("what is suggested are the container, the pod and the static fields", (t) => {
  const result = load(
    RULES,
    "- static_fields: {site: Berlin}\n- append_output: [{match: {rule: One}, suggested_output: true}]\n",
  );
  t.is(
    outputs(result)[0],
    "one container_id=%container.id container_name=%container.name " +
      "container_image_repository=%container.image.repository container_image_tag=%container.image.tag " +
      "k8s_pod_name=%k8s.pod.name k8s_ns_name=%k8s.ns.name static_site=%static.site",
  );
});

test("conditions and exceptions may ask for static fields", (t) => {
  const ask = (site: string) => RULES.replace("= openat", `= openat and static.site = ${site}`);
  const site = "- static_fields: {site: Berlin}\n";
  t.deepEqual(
    matched(load(site, ask("Berlin"))).map(({ rule }) => rule.name),
    ["One", "Two"],
  );
  t.deepEqual(
    matched(load(ask("Rome"), site)).map(({ rule }) => rule.name),
    ["Two"],
  );
  t.deepEqual(load(ask("Rome"), site).problems, []);
  t.is(load(ask("Rome")).problems[0]?.message, "filter_check called with nonexistent field static.site");
});

const PROBLEMS: readonly (readonly [what: string, text: string, code: string, place: string, message: string])[] = [
  ["no sequence", "- append_output: x\n", "LOAD_ERR_YAML_VALIDATE", "1:18", "Value is not a sequence"],
  ["no mapping", "- append_output: [x]\n", "LOAD_ERR_YAML_VALIDATE", "1:19", "Value is not a mapping"],
  ["an unknown key", "- append_output: [{extra: x}]\n", "LOAD_UNKNOWN_ITEM", "1:20", "Unknown key 'extra'"],
  [
    "an unknown field in an output",
    "- append_output:\n    - extra_output: x %proc.nme\n",
    "LOAD_ERR_COMPILE_OUTPUT",
    "2:23",
    "invalid formatting token proc.nme",
  ],
  [
    "an unknown field",
    "- append_output: [{extra_fields: [proc.nme]}]\n",
    "LOAD_ERR_COMPILE_OUTPUT",
    "1:35",
    "invalid formatting token proc.nme",
  ],
  ["static fields that are none", "- static_fields: [a]\n", "LOAD_ERR_YAML_VALIDATE", "1:18", "Value is not a mapping"],
  ["a bad name", "- static_fields: {a-b: c}\n", "LOAD_ERR_YAML_VALIDATE", "1:24", "'a-b' is no name for a field"],
];

for (const [what, text, code, place, message] of PROBLEMS) {
  test(`${what} is told of with its place, and rules load`, (t) => {
    const { rules, problems } = load(text, RULES);
    t.is(rules.length, 2);
    t.deepEqual(
      problems.map((found) => [found.code, `${found.line}:${found.column}`]),
      [[code, place]],
    );
    t.true(problems[0]?.message.startsWith(message), problems[0]?.message);
  });
}
