// The reference in docs/ is fresh, and the catalogue it is made from has what the messages name.
import { readFileSync } from "node:fs";
import { getOption } from "@bufbuild/protobuf";
import { EventSchema, ExecSchema, eventTypes, falco, ProcessSchema } from "@nightjar/proto";
import test from "ava";
import { findField } from "./fields/catalogue.ts";
import { PROBLEM_CODES } from "./problem.ts";
import { rulesReference } from "./reference.ts";
import { sigmaReference } from "./sigma/reference.ts";

test("docs/reference/rules.md is what the code makes", (t) => {
  const page = readFileSync(new URL("../../../docs/reference/rules.md", import.meta.url), "utf8");
  t.true(page === rulesReference(), "stale: run node packages/rules/scripts/reference.ts");
});

test("docs/reference/sigma.md is what the code makes", (t) => {
  const page = readFileSync(new URL("../../../docs/reference/sigma.md", import.meta.url), "utf8");
  t.true(page === sigmaReference(), "stale: run node packages/rules/scripts/reference.ts");
});

test("every code is on the page", (t) => {
  const page = rulesReference();
  for (const code of Object.keys(PROBLEM_CODES)) t.true(page.includes(`\`${code}\``), code);
});

test("every name that a message gives to a field is served", (t) => {
  const messages = [EventSchema, ProcessSchema, ExecSchema, ...eventTypes.flatMap(({ field }) => field.message ?? [])];
  const names = messages.flatMap(({ fields }) => fields.flatMap((field) => getOption(field, falco)));
  t.true(names.length > 20);
  for (const name of names) t.truthy(findField(name)?.field.getter, name);
});

test("what an event type's message names is served on its events", (t) => {
  for (const { id, name, field } of eventTypes) {
    const names = (field.message?.fields ?? []).flatMap((one) => getOption(one, falco));
    for (const one of names.filter((each) => !each.startsWith("evt.arg.")))
      t.true(findField(one)?.field.events.includes(id), `${one} of ${name}`);
  }
});

test("an argument may stand in brackets or, for some fields, behind a dot", (t) => {
  t.is(findField("evt.arg.flags")?.argument, "flags");
  t.is(findField("evt.arg", "flags")?.argument, "flags");
  t.is(findField("proc.aname.x"), undefined);
  t.is(findField("evt.arg."), undefined);
  t.is(findField("no.such"), undefined);
});
