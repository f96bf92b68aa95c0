// Redacts messages in place: every text in them, arguments as arguments, the environment as such.
import { isUtf8 } from "node:buffer";
import type { DescField, DescMessage, Message } from "@bufbuild/protobuf";
import {
  ContainerItemSchema,
  CorrelatedEventSchema,
  DetectionSchema,
  ExecFailureSchema,
  ExecSchema,
  ExplainedPartSchema,
  FileItemSchema,
  HealthIssueSchema,
  ModuleItemSchema,
  PackageItemSchema,
  PortItemSchema,
  ProgramItemSchema,
  RootItemSchema,
  SampleSchema,
} from "@nightjar/proto";
import type { Redactor, Seen } from "./redactor.ts";

type Treatment = "text" | "arguments" | "environment" | "leave";

/** What is not simply text. An identity must stay what it is, and a rule's own words are no secret of the host's. */
const treatments = new Map<DescField, Treatment>([
  [ExecSchema.field.args, "arguments"],
  [ExecFailureSchema.field.args, "arguments"],
  [ExecSchema.field.environment, "environment"],
  ...[
    DetectionSchema.field.id,
    DetectionSchema.field.rule,
    DetectionSchema.field.rulePlace,
    DetectionSchema.field.eventId,
    DetectionSchema.field.tags,
    DetectionSchema.field.techniques,
    DetectionSchema.field.tactics,
    DetectionSchema.field.contentVersion,
    SampleSchema.field.eventId,
    CorrelatedEventSchema.field.eventId,
    CorrelatedEventSchema.field.rule,
    ExplainedPartSchema.field.test,
    HealthIssueSchema.field.id,
    HealthIssueSchema.field.code,
    RootItemSchema.field.name,
    PackageItemSchema.field.root,
    FileItemSchema.field.root,
    ProgramItemSchema.field.root,
    ProgramItemSchema.field.containerId,
    ModuleItemSchema.field.root,
    PortItemSchema.field.containerId,
    ContainerItemSchema.field.root,
  ].map((field) => [field, "leave"] as const),
]);

/** Shorter ones, and words, may stand anywhere without being the secret. */
const SEEN_CHARACTERS_MIN = 6;
const SEEN_WORD_CHARACTERS_MIN = 12;
/** Secrets of a message's arguments that are looked for in its other texts. */
const SEEN_MAX = 64;

type Plain = Record<string, unknown>;
type Step = (message: Plain, way: Way) => void;

interface Way {
  redactor: Redactor;
  seen: Map<string, Seen>;
}

interface Plan {
  /** Arguments and environment, which tell what is secret in the other texts too. */
  first: Step[];
  texts: Step[];
}

const plans = new Map<DescMessage, Plan>();

/**
 * Redacts all texts of `message` and of the messages in it, and gives it back. What is secret in arguments and in the
 * environment is replaced in the other texts too, wherever it stands.
 */
export function redactMessage<M extends Message>(redactor: Redactor, schema: DescMessage, message: M): M {
  const way: Way = { redactor, seen: new Map() };
  const plan = planOf(schema);
  for (const step of plan.first) step(message as unknown as Plain, way);
  for (const step of plan.texts) step(message as unknown as Plain, way);
  return message;
}

function planOf(schema: DescMessage): Plan {
  const known = plans.get(schema);
  if (known) return known;
  const plan: Plan = { first: [], texts: [] };
  // Before it is filled: messages contain themselves.
  plans.set(schema, plan);
  for (const field of schema.fields) addSteps(plan, field);
  return plan;
}

function addSteps(plan: Plan, field: DescField): void {
  const treatment = treatments.get(field) ?? "text";
  if (treatment === "leave") return;
  const inner = field.message;
  if (inner) {
    const innerPlan = planOf(inner);
    const steps = (phase: keyof Plan): Step => {
      return (message, way) =>
        eachOf(field, message, (one) => {
          for (const step of innerPlan[phase]) step(one as Plain, way);
          return one;
        });
    };
    plan.first.push(steps("first"));
    plan.texts.push(steps("texts"));
  } else if (field.scalar === SCALAR_STRING || field.scalar === SCALAR_BYTES) {
    if (treatment === "text") plan.texts.push((message, way) => eachOf(field, message, (one) => textOf(one, way)));
    else {
      plan.first.push((message, way) => redactList(field, message, way, treatment));
      // What one argument shows to be secret can stand in another one, of another process too.
      plan.texts.push((message, way) =>
        eachOf(field, message, (one) => rewritten(one as Uint8Array, way, withoutSeen)),
      );
    }
  }
}

/** descriptor.proto: TYPE_STRING, TYPE_BYTES. */
const SCALAR_STRING = 9;
const SCALAR_BYTES = 12;

/** Puts what `change` makes of each of a field's values in its place. */
function eachOf(field: DescField, message: Plain, change: (value: unknown) => unknown): void {
  if (field.oneof) {
    const group = message[field.oneof.localName] as { case?: string; value?: unknown };
    if (group.case === field.localName) group.value = change(group.value);
    return;
  }
  const value = message[field.localName];
  if (value === undefined) return;
  if (field.fieldKind === "list") {
    const list = value as unknown[];
    for (let index = 0; index < list.length; index++) list[index] = change(list[index]);
  } else if (field.fieldKind === "map") {
    const map = value as Plain;
    for (const key of Object.keys(map)) map[key] = change(map[key]);
  } else message[field.localName] = change(value);
}

function textOf(value: unknown, way: Way): unknown {
  if (typeof value === "string") return value === "" ? value : withoutSeen(way.redactor.text(value), way);
  return rewritten(value as Uint8Array, way, (text) => withoutSeen(way.redactor.text(text), way));
}

function rewritten(bytes: Uint8Array, way: Way, change: (text: string, way: Way) => string): Uint8Array {
  if (bytes.length === 0) return bytes;
  const before = read(bytes);
  const after = change(before, way);
  return after === before ? bytes : write(after, bytes);
}

/** The fields with arguments and with the environment: lists of bytes. */
function redactList(field: DescField, message: Plain, way: Way, treatment: "arguments" | "environment"): void {
  const list = message[field.localName] as Uint8Array[];
  if (list.length === 0) return;
  const before = list.map(read);
  const note = (seen: Seen) => {
    if (way.seen.size < SEEN_MAX && tellsEnough(seen.secret)) way.seen.set(seen.secret, seen);
  };
  const { redactor } = way;
  const after =
    treatment === "arguments" ? redactor.args(before, note) : before.map((entry) => redactor.variable(entry, note));
  after.forEach((text, index) => {
    if (text !== before[index]) list[index] = write(text, list[index] as Uint8Array);
  });
}

function tellsEnough(secret: string): boolean {
  return secret.length >= (/^[a-z]*$/i.test(secret) ? SEEN_WORD_CHARACTERS_MIN : SEEN_CHARACTERS_MIN);
}

function withoutSeen(text: string, { redactor, seen }: Way): string {
  let left = text;
  for (const { secret, kind } of seen.values()) {
    if (left.includes(secret)) left = left.replaceAll(secret, () => redactor.token(secret, kind));
  }
  return left;
}

/** Bytes that are no UTF-8 are read a character a byte, so that they come back as they were. */
function read(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString(isUtf8(bytes) ? "utf8" : "latin1");
}

function write(text: string, before: Uint8Array): Uint8Array {
  return new Uint8Array(Buffer.from(text, isUtf8(before) ? "utf8" : "latin1"));
}
