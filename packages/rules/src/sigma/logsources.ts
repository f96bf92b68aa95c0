// What Sigma's logsources mean for the sensor: categories as the options of the messages have them, auditd's records,
// and why others are not served.
import { type DescField, type DescMessage, getOption } from "@bufbuild/protobuf";
import {
  EventSchema,
  type EventType,
  ExecSchema,
  eventTypes,
  falco,
  ProcessSchema,
  sigma,
  sigma_field,
  sigma_logsource,
  sigma_text,
} from "@nightjar/proto";
import { findField } from "../fields/catalogue.ts";
import { EVENT_NAMES } from "../fields/event-names.ts";
import { check } from "../language/check.ts";
import { and, type Expression, type Term } from "../language/expression.ts";
import { parse } from "../language/parse.ts";
import { AUDIT } from "./auditd.ts";
import { eventTypeIs, termOf } from "./fields.ts";
import type { View, ViewsOf } from "./view.ts";

/** Names and what they stand for. */
type Names = ReadonlyMap<string, Term>;

/** The names that one message gives: its fields', and those of what is worked out. */
function namesOf(message: DescMessage): Map<string, Term> {
  const names = new Map<string, Term>();
  for (const field of message.fields) {
    for (const name of getOption(field, sigma)) names.set(name, termOf(falcoName(field)));
  }
  for (const line of getOption(message, sigma_field)) {
    const [, name, sign, meaning] = /^(\w+) ?([:=]) (.+)$/.exec(line) ?? [];
    if (name === undefined || meaning === undefined) throw new Error(`${message.name}: no sigma_field: ${line}`);
    names.set(name, sign === "=" ? { kind: "text", value: meaning, type: "string", list: false } : termOf(meaning));
  }
  return names;
}

/** Arguments have other names in other calls, so a field's own name goes before them. */
function falcoName(field: DescField): string {
  const names = getOption(field, falco);
  const name = names.find((each) => !each.startsWith("evt.arg.")) ?? names[0];
  if (name === undefined)
    throw new Error(`${field.parent.name}.${field.name} has a name of Sigma's and none of Falco's`);
  return name;
}

/** What every event has: the process that acts. */
export const COMMON: Names = new Map(
  [EventSchema, ProcessSchema, ExecSchema].flatMap((message) => [...namesOf(message)]),
);

function conditionOf(text: string): Expression {
  const { node } = parse(text);
  const isEventName = (name: string): boolean => EVENT_NAMES.has(name);
  const result = node && check(node, { findField, isEventName, macro: () => undefined });
  if (!result?.checked) throw new Error(`no condition in sigma_logsource: ${text}: ${result?.refusal?.message}`);
  return result.checked.expression;
}

interface Served {
  category: string;
  type: EventType;
  condition: string;
  /** The names a rule must have one of, where that is asked for. */
  only?: readonly string[];
  names: Names;
  view: View;
}

function servedBy(type: EventType): Served[] {
  const { message } = type.field;
  if (!message) return [];
  const names = new Map([...COMMON, ...namesOf(message)]);
  const texts = getOption(message, sigma_text).flatMap((line) => line.split(" "));
  return getOption(message, sigma_logsource).map((line) => {
    const [, category, only, condition] = /^(\w+)(?:\(([^)]*)\))?: (.*)$/.exec(line) ?? [];
    if (category === undefined || condition === undefined) throw new Error(`${message.name}: no logsource: ${line}`);
    const scope = and([eventTypeIs(type.name), conditionOf(condition)]);
    const keywords = texts.map((name) => names.get(name) as Term);
    const view = { scope, field: (name: string) => names.get(name), keywords };
    const served = { category, type, condition, names, view };
    if (only === undefined) return served;
    return { ...served, only: only.split(" "), view: { ...view, only: only.split(" ") } };
  });
}

/** Every category with the event types that serve it, for the reference. */
export const SERVED: readonly Served[] = eventTypes.flatMap(servedBy);
const VIEWS: ReadonlyMap<string, readonly View[]> = new Map(
  [...Map.groupBy(SERVED, ({ category }) => category)].map(([category, served]) => [
    category,
    served.map(({ view }) => view),
  ]),
);

/** Why a service is not served, by its name; what is not in the table is some other program's log. */
const LOG = "its lines stand in a log file, and the sensor reads no logs";
export const UNSERVED_SERVICES: ReadonlyMap<string, string> = new Map([
  ["sshd", `${LOG}: what sshd starts shows in process_creation`],
  ["sudo", `${LOG}: what sudo starts shows in process_creation`],
  ["cron", `${LOG}: changed tables show in file_event, started jobs in process_creation`],
  ["auth", LOG],
  ["syslog", LOG],
  ["guacamole", LOG],
  ["clamav", LOG],
  ["vsftpd", LOG],
]);

/** The sensor's own events as Sigma's rules for Linux see them. */
export const SENSOR_VIEWS: ViewsOf = (logsource) => {
  if (!logsource) return { refusal: "without a logsource nothing says which events the rule is for" };
  const { product, category, service } = logsource;
  if (product !== undefined && product !== "linux") {
    return { refusal: `the rule is for ${product}, and the sensor sees Linux` };
  }
  if (service !== undefined) return viewsOfService(service, category);
  // Rules for Linux without more are about what a shell or a log would show: the lines of commands are searched.
  const views = VIEWS.get(category ?? "process_creation");
  return views ? { views, inVain } : { refusal: `the sensor makes no events of the category '${category}'` };
};

/** Digests beside SHA-256, by how Sysmon's field Hashes writes them. */
const OTHER_DIGEST = /^\W*(MD5|SHA1|IMPHASH)=/i;

function inVain(field: string, text: string): string | undefined {
  const [, digest] = (field === "Hashes" && OTHER_DIGEST.exec(text)) || [];
  return digest && `of the digests in Hashes the sensor makes SHA256 alone, no ${digest.toUpperCase()}`;
}

function viewsOfService(service: string, category: string | undefined): ReturnType<ViewsOf> {
  if (service === "auditd" && category === undefined) return AUDIT;
  if (service === "sysmon" && category !== undefined) return SENSOR_VIEWS({ category });
  return { refusal: `the service '${service}' is not served: ${UNSERVED_SERVICES.get(service) ?? LOG}` };
}
