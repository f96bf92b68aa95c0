// The bytes of a message on the bus as JSON lines: the subject says what it is; without one, the bytes do.
import { type DescMessage, fromBinary, type Message } from "@bufbuild/protobuf";
import {
  type Batch,
  type BatchList,
  BatchListSchema,
  BatchSchema,
  type DetectionBatch,
  DetectionBatchSchema,
  DetectionSchema,
  type IndicatorBatch,
  IndicatorBatchSchema,
  IndicatorSchema,
  type Interest,
  InterestSchema,
  type StageStatus,
  StageStatusSchema,
  type VerdictBatch,
  VerdictBatchSchema,
  VerdictSchema,
} from "@nightjar/proto";
import { batchJson, type EventFilter, everything } from "./events.ts";
import { type Plain, toPlain } from "./plain.ts";

type Row = { [name: string]: Plain };

interface Kind<T extends Message> {
  schema: DescMessage;
  subjects: RegExp;
  /** Whether what was decoded makes sense: protobuf's bytes do not tell what message they are. */
  fits: (message: T) => boolean;
  rows: (message: T, filter: EventFilter) => Row[];
}

const BOOT_ID_BYTES = 16;
const STAGE_NAME = /^[a-z][a-z-]{1,30}$/;

function kind<T extends Message>(row: Kind<T>): Kind<Message> {
  return row as unknown as Kind<Message>;
}

const KINDS: readonly Kind<Message>[] = [
  kind<Batch>({
    schema: BatchSchema,
    subjects: /^nightjar\.(raw|events|tapped)$/,
    fits: (batch) => batch.bootId.length === BOOT_ID_BYTES,
    rows: batchJson,
  }),
  kind<BatchList>({
    schema: BatchListSchema,
    subjects: /^nightjar\.facts$/,
    fits: ({ batches }) => batches.length > 0 && batches.every(({ bootId }) => bootId.length === BOOT_ID_BYTES),
    rows: ({ batches }, filter) => batches.flatMap((batch) => batchJson(batch, filter)),
  }),
  kind<IndicatorBatch>({
    schema: IndicatorBatchSchema,
    subjects: /^nightjar\.indicators$/,
    fits: ({ indicators }) => indicators.length > 0 && indicators.every(({ kind, value }) => kind > 0 && value !== ""),
    rows: ({ indicators }) => indicators.map((one) => ({ type: "indicator", ...toPlain(IndicatorSchema, one) })),
  }),
  kind<VerdictBatch>({
    schema: VerdictBatchSchema,
    subjects: /^nightjar\.verdicts$/,
    fits: ({ verdicts }) => verdicts.every(({ indicator, disposition }) => indicator && disposition > 0),
    rows: ({ verdicts }) => verdicts.map((one) => ({ type: "verdict", ...toPlain(VerdictSchema, one) })),
  }),
  kind<DetectionBatch>({
    schema: DetectionBatchSchema,
    subjects: /^nightjar\.detections\./,
    fits: ({ detections }) => detections.length > 0 && detections.every(({ id }) => /^[0-9a-f]{32}$/.test(id)),
    rows: ({ detections }) => detections.map((one) => ({ type: "detection", ...toPlain(DetectionSchema, one) })),
  }),
  kind<StageStatus>({
    schema: StageStatusSchema,
    subjects: /^_INBOX\./,
    fits: ({ stage, version, pid }) => STAGE_NAME.test(stage) && version !== "" && pid > 0,
    rows: (status) => [{ type: "status", ...toPlain(StageStatusSchema, status) }],
  }),
  kind<Interest>({
    schema: InterestSchema,
    subjects: /^nightjar\.interest\./,
    fits: ({ stage }) => STAGE_NAME.test(stage),
    rows: (interest) => [{ type: "interest", ...toPlain(InterestSchema, interest) }],
  }),
];

/** The rows of a message, or undefined when it is none of ours. An empty message is one without rows. */
export function messageRows(bytes: Uint8Array, subject?: string, filter = everything): Row[] | undefined {
  if (bytes.length === 0) return [];
  for (const { schema, subjects, fits, rows } of KINDS) {
    if (subject !== undefined && !subjects.test(subject)) continue;
    const message = decoded(schema, bytes);
    // Without a subject, a field it does not have says that the bytes are another message's.
    if (!message || (subject === undefined && message.$unknown)) continue;
    if (fits(message)) return rows(message, filter);
  }
  return undefined;
}

function decoded(schema: DescMessage, bytes: Uint8Array): Message | undefined {
  try {
    return fromBinary(schema, bytes);
  } catch {
    return undefined;
  }
}
