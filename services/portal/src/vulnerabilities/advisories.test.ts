// Advisories at the portal: imports, what a source's next edition does, and what is refused.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { type Advisory, AdvisorySchema } from "@nightjar/proto";
import test from "ava";
import { ADVISORIES_PER_IMPORT_MAX } from "../limits.ts";
import type { Portal } from "../portal.ts";
import { clientsOf, freshStateDir, makeTemplate, randomId, remove, startTestPortal } from "../testing.ts";

let template: string;
let stateDir: string;
let portal: Portal;

test.before(async () => {
  template = await makeTemplate();
  stateDir = freshStateDir(template);
  portal = await startTestPortal(stateDir);
});

test.after.always(async () => {
  await portal.close();
  remove(stateDir);
  remove(template);
});

function advisory(fields: MessageInitShape<typeof AdvisorySchema> = {}): Advisory {
  const affected = [{ ecosystem: "Debian:12", name: "openssl", intervals: [{ introduced: "0", fixed: "3.0.15" }] }];
  return create(AdvisorySchema, { id: `TEST-${randomId()}`, affected, ...fields });
}

const client = () => clientsOf(stateDir).advisories;
const importAll = (source: string, advisories: Advisory[], importId = randomId()) =>
  client().importAdvisories({ importId, source, advisories });
const countOf = async (source: string) =>
  Number((await client().listAdvisorySources({})).sources.find(({ name }) => name === source)?.advisories ?? 0);

test("what is new and what changed is told, and the next edition replaces the one before", async (t) => {
  const [kept, changed, gone] = [advisory(), advisory(), advisory()];
  t.like(await importAll("edition", [kept, changed, gone]), { added: 3, changed: 0 });
  const importId = randomId();
  const next = [kept, { ...changed, summary: "another" }, advisory()];
  t.like(await importAll("edition", next, importId), { added: 1, changed: 1 });
  t.is(await countOf("edition"), 4);
  t.like(await client().removeAdvisories({ source: "edition", exceptImportId: importId }), { removed: 1n });
  t.is(await countOf("edition"), 3);
  t.like(await client().removeAdvisories({ source: "edition" }), { removed: 3n });
  t.is(await countOf("edition"), 0);
});

test("two sources may have the same advisory", async (t) => {
  const one = advisory();
  await importAll("first", [one]);
  t.like(await importAll("second", [one]), { added: 1, changed: 0 });
  await client().removeAdvisories({ source: "first" });
  t.is(await countOf("second"), 1);
});

test("what cannot be is refused, and nothing of it is kept", async (t) => {
  const affected = { ecosystem: "Debian:12", name: "openssl" };
  const one = advisory();
  const cases: [Advisory[], RegExp][] = [
    [[], /^advisories: at least one/],
    [[one, one], /^advisories: each id once/],
    [Array.from({ length: ADVISORIES_PER_IMPORT_MAX + 1 }, () => advisory()), /^advisories: at most/],
    [[one, advisory({ id: "no id" })], /^advisories\[1\]\.id/],
    [[advisory({ severityScore: 11 })], /severity_score/],
    [[advisory({ affected: [] })], /affected: at least one/],
    [[advisory({ affected: [{ ...affected, ecosystem: "Unheard" }] })], /ecosystems with a known order/],
    [[advisory({ affected: [{ ...affected, name: "a\0b" }] })], /none of them NUL/],
    [[advisory({ summary: "x".repeat(10_000) })], /at most 512 characters/],
  ];
  for (const [advisories, message] of cases) {
    const error = await t.throwsAsync(importAll("refused", advisories), { instanceOf: ConnectError });
    t.is(error?.code, Code.InvalidArgument);
    t.regex(error?.rawMessage ?? "", message);
  }
  await t.throwsAsync(importAll("no source", [one]), { message: /source/ });
  t.is(await countOf("refused"), 0);
});
