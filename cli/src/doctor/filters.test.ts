// Who made an event type loud is told by rule, condition and class, beside what was counted.
import { create } from "@bufbuild/protobuf";
import { eventTypes, LedgerEntrySchema } from "@nightjar/proto";
import { loadRules, wishesOf } from "@nightjar/rules";
import test from "ava";
import { filtersOf } from "./filters.ts";

const CONDITIONS = {
  loud: 'evt.type = openat and evt.is_open_write = true and fd.num >= 0 and fd.name contains "key"',
  quiet: "evt.type = openat and evt.is_open_write = true and fd.num >= 0 and fd.name in (/etc/a, /etc/b)",
};

const { rules } = loadRules([
  {
    name: "rules.yaml",
    text: JSON.stringify(
      Object.entries(CONDITIONS).map(([rule, condition]) => {
        return { rule, desc: "d", condition, output: "o", priority: "INFO" };
      }),
    ),
  },
]);

test("each rule says what it wants of which classes, and why everything", (t) => {
  const type = eventTypes.find(({ name }) => name === "open")?.id ?? 0;
  const ledger = [create(LedgerEntrySchema, { type, seen: 9n, filtered: 6n, folded: 1n, submitted: 2n })];
  const [open, ...others] = filtersOf(wishesOf(rules), ledger);
  t.deepEqual(others, []);
  t.like(open, {
    type: "open",
    counts: { seen: 9, filtered: 6, folded: 1, submitted: 2 },
    everything: ["write", "read and write"],
  });
  const [loud, quiet] = open?.rules ?? [];
  const classes = ["write", "read and write"];
  t.like(loud, { rule: "loud", classes, everything: true, because: ['fd.name contains ["key"]'] });
  t.like(quiet, { rule: "quiet", classes, everything: false, because: [], keys: { path: 2 } });
});

test("without a sensor nothing is counted", (t) => {
  t.is(filtersOf(wishesOf(rules), [])[0]?.counts, undefined);
});
