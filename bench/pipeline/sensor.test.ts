// Tests how the ledger's entries are added and compared.
import { create } from "@bufbuild/protobuf";
import { DropReason, eventTypes, LedgerEntrySchema } from "@nightjar/proto";
import test from "ava";
import { ledgerBetween, sumLedger } from "./sensor.ts";

const [first, second] = eventTypes;

function entries(scale: bigint) {
  return [
    create(LedgerEntrySchema, { type: first?.id ?? 0, seen: 10n * scale, submitted: 8n * scale, filtered: 2n * scale }),
    create(LedgerEntrySchema, {
      type: second?.id ?? 0,
      seen: 5n * scale,
      submitted: 4n * scale,
      drops: [{ reason: DropReason.RING_FULL, count: scale }],
    }),
  ];
}

test("entries of all types are added", (t) => {
  t.deepEqual(sumLedger(entries(1n)), {
    seen: 15,
    filtered: 2,
    submitted: 12,
    dropped: 1,
    submittedByType: { [first?.name ?? ""]: 8, [second?.name ?? ""]: 4 },
    droppedByReason: { ring_full: 1 },
  });
});

test("between two looks, only what changed is named", (t) => {
  const between = ledgerBetween(sumLedger(entries(1n)), sumLedger(entries(3n)));
  t.like(between, { seen: 30, submitted: 24, dropped: 2 });
  t.deepEqual(ledgerBetween(sumLedger(entries(1n)), sumLedger(entries(1n))).submittedByType, {});
});
