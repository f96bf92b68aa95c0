// A view of the sensor's events as the records that the audit system would write of them, for rules made for auditd.
// The names of records and fields are those of the kernel's audit code (kernel/auditsc.c) and of ausearch.
import { callsOfEventType, EventSchema, ExecSchema } from "@nightjar/proto";
import type { EventView } from "../engine/event-view.ts";
import type { Field, Value } from "../fields/definition.ts";
import { EVENT_NAMES } from "../fields/event-names.ts";
import { ownField } from "../fields/own-field.ts";
import { eventsNamed } from "../fields/served.ts";
import { ALWAYS, and, type Expression, not, type Term, type Test, writeSource } from "../language/expression.ts";
import { eventTypeIs, fieldTerm, termOf } from "./fields.ts";
import type { View, Views } from "./view.ts";

const EVENT = EventSchema.field;
const EXEC = ExecSchema.field;

const text = (value: string): Term => ({ kind: "text", value, type: "string", list: false });

/** Arguments that a call passes in registers, as far as they are numbers the event has: by call, a0 to a3. */
const REGISTERS: ReadonlyMap<string, readonly string[]> = new Map(
  Object.entries({
    socket: "domain type proto",
    kill: "pid sig",
    tkill: "tid sig",
    tgkill: "pid tid sig",
    ptrace: "request pid addr data",
    listen: "fd backlog",
    bind: "fd",
    mknod: "- mode",
    mknodat: "dirfd - mode",
    mkdir: "- mode",
    mkdirat: "dirfd - mode",
    chmod: "- mode",
    fchmod: "fd mode",
    fchmodat: "dirfd - mode",
    chown: "- uid gid",
    fchown: "fd uid gid",
    openat: "dirfd - flags mode",
    unlinkat: "dirfd - flags",
    setuid: "uid",
    setgid: "gid",
    setreuid: "ruid euid",
    setregid: "rgid egid",
    setresuid: "ruid euid suid",
    setresgid: "rgid egid sgid",
    reboot: "magic magic2 cmd",
  }).map(([call, names]) => [call, names.split(" ")]),
);
const REGISTERS_MAX = 4;

/** A register as a record has it: in hexadecimal, without 0x; an int that is negative as its 32 bits. */
function hexadecimal(value: Value): string | undefined {
  if (typeof value === "bigint") return BigInt.asUintN(64, value).toString(16);
  if (typeof value !== "number") return undefined;
  return (value < 0 ? value >>> 0 : value).toString(16);
}

const typeTerm = termOf("evt.type") as Term & { kind: "field" };
const callOf = typeTerm.field.getter?.(undefined) as (view: EventView) => Value;

function registerField(number: number): Field {
  const getters = new Map(
    [...REGISTERS].flatMap(([call, names]) => {
      const name = names[number];
      if (name === undefined || name === "-") return [];
      const { field, argument } = termOf(`evt.rawarg.${name}`) as Term & { kind: "field" };
      return [[call, field.getter?.(argument)] as const];
    }),
  );
  return ownField(`sigma.a${number}`, "string", "the call's argument, in hexadecimal", (view) =>
    hexadecimal(getters.get(callOf(view) as string)?.(view)),
  );
}

const EXECVE_ARGUMENT: Field = {
  ...ownField("sigma.execve_argument", "string", "Exec.args", () => undefined),
  argument: "required",
  events: eventsNamed("exec"),
  getter: (argument) => {
    const number = Number(argument);
    return (view) => view.image?.args[number];
  },
};

const resultOf = (view: EventView): number => view.event.int(EVENT.result.number);
const ofImage =
  (number: number) =>
  ({ image }: EventView): Value =>
    image?.message.uint(number);

/** What a SYSCALL record says, but for the call and its arguments. */
const SYSCALL_FIELDS = new Map<string, Term>([
  ["SYSCALL", typeTerm],
  ["syscall", typeTerm],
  ["comm", termOf("proc.name")],
  ["exe", termOf("proc.exepath")],
  ["pid", termOf("proc.pid")],
  ["ppid", termOf("proc.ppid")],
  ["uid", fieldTerm(ownField("sigma.uid", "int", "Exec.real_uid", ofImage(EXEC.realUid.number)))],
  ["gid", fieldTerm(ownField("sigma.gid", "int", "Exec.real_gid", ofImage(EXEC.realGid.number)))],
  ["euid", termOf("user.uid")],
  ["egid", termOf("group.gid")],
  ["auid", fieldTerm(ownField("sigma.auid", "int", "Exec.login_uid", ofImage(EXEC.loginUid.number)))],
  ["ses", fieldTerm(ownField("sigma.ses", "int", "Exec.audit_session_id", ofImage(EXEC.auditSessionId.number)))],
  [
    "success",
    fieldTerm(ownField("sigma.success", "string", "Event.result", (view) => (resultOf(view) < 0 ? "no" : "yes"))),
  ],
  ["exit", fieldTerm(ownField("sigma.exit", "int", "Event.result", resultOf))],
  ...Array.from({ length: REGISTERS_MAX }, (_, number) => [`a${number}`, fieldTerm(registerField(number))] as const),
]);

function record(type: string, scope: Expression, fields: ReadonlyMap<string, Term>, keywords: readonly string[]): View {
  const names = new Map([["type", text(type)], ...fields]);
  return {
    scope,
    field: (name) => names.get(name),
    names: [...names.keys()],
    keywords: keywords.map((name) => names.get(name) as Term),
  };
}

const succeeded: Expression = {
  kind: "test",
  test: "equals",
  left: termOf("evt.failed"),
  operand: false,
  source: writeSource("=", ["false"]),
} satisfies Test;
const on = (eventType: string): Expression => and([eventTypeIs(eventType), succeeded]);
const EXECS = on("exec");
const COMMAND_LINE = termOf("proc.exeline");

/** The arguments of EXECVE are a0 to aN, which have no end. */
function executed(): View {
  const argc = ownField("sigma.argc", "int", "Exec.args", ({ image }) => image?.args.length);
  const fixed = record("EXECVE", EXECS, new Map([["argc", fieldTerm(argc)]]), []);
  const field = (name: string): Term | undefined => {
    const number = /^a(\d{1,4})$/.exec(name)?.[1];
    if (number === undefined) return fixed.field(name);
    return { kind: "field", field: EXECVE_ARGUMENT, argument: number, type: "string", list: false };
  };
  return { ...fixed, field, names: [...(fixed.names ?? []), "a0", "…", "aN"], keywords: [COMMAND_LINE] };
}

/** What a call does to the name of a file: a record of its own says each. */
const NAMED: readonly (readonly [eventType: string, name: string, nameType: string, only?: Expression])[] = [
  ["exec", "proc.exepath", "NORMAL"],
  ["open", "fd.name", "CREATE", isTrue("evt.is_open_create")],
  ["open", "fd.name", "NORMAL", not(isTrue("evt.is_open_create"))],
  ["rename", "fs.path.source", "DELETE"],
  ["rename", "fs.path.target", "CREATE"],
  ["unlink", "fs.path.name", "DELETE"],
  ["mkdir", "fs.path.name", "CREATE"],
  ["mknod", "fs.path.name", "CREATE"],
  ["link", "fs.path.source", "NORMAL"],
  ["link", "fs.path.target", "CREATE"],
  ["symlink", "fs.path.target", "CREATE"],
  ["chmod", "fs.path.name", "NORMAL"],
  ["chown", "fs.path.name", "NORMAL"],
  ["truncate", "fs.path.name", "NORMAL"],
  ["setxattr", "fs.path.name", "NORMAL"],
  ["utime", "fs.path.name", "NORMAL"],
];

function isTrue(name: string): Expression {
  return { kind: "test", test: "equals", left: termOf(name), operand: true, source: writeSource("=", ["true"]) };
}

const PATHS: readonly View[] = NAMED.map(([eventType, name, nameType, only]) => {
  const fields = new Map([
    ["name", termOf(name)],
    ["nametype", text(nameType)],
  ]);
  return record("PATH", and([on(eventType), only ?? ALWAYS]), fields, ["name"]);
});

const CALLED = ["SYSCALL", "syscall"];
const withCall = { kind: "test", test: "exists", left: typeTerm, operand: true, source: "exists" } satisfies Test;

const VIEWS: readonly View[] = [
  executed(),
  record("SYSCALL", EXECS, SYSCALL_FIELDS, ["comm", "exe"]),
  // Audit rules say which calls have records. A rule that names no call is taken to be about execve, which all log.
  { ...record("SYSCALL", and([withCall, not(EXECS)]), SYSCALL_FIELDS, ["comm", "exe"]), only: CALLED },
  record("CWD", EXECS, new Map([["cwd", termOf("proc.cwd")]]), ["cwd"]),
  record("PROCTITLE", EXECS, new Map([["proctitle", COMMAND_LINE]]), ["proctitle"]),
  ...PATHS,
];

const RECORDS = new Set(VIEWS.map((view) => (view.field("type") as { value: string }).value));
const CALLS = new Set([...callsOfEventType.values()].flat());
const KERNEL_RECORDS = ["SOCKADDR", "MMAP", "IPC", "BPRM_FCAPS", "CAPSET", "FD_PAIR", "MQ_OPEN", "OBJ_PID", "TTY"];

function inVain(field: string, value: string, isWhole: boolean): string | undefined {
  if (!isWhole) return undefined;
  if (field === "type" && !RECORDS.has(value.toUpperCase())) {
    const reason = KERNEL_RECORDS.includes(value.toUpperCase())
      ? "are not made from the sensor's events"
      : "are written by programs, not by the kernel";
    return `records of the type ${value.toUpperCase()} ${reason}`;
  }
  if (!CALLED.includes(field) || CALLS.has(value.toLowerCase())) return undefined;
  const known = EVENT_NAMES.has(value.toLowerCase());
  return known ? `the sensor does not report the call ${value}` : `there is no call ${value}`;
}

/** The records of auditd that the sensor's events make. */
export const AUDIT: Views = { views: VIEWS, inVain };
/** The types of records there are, for the reference. */
export const AUDIT_RECORDS: readonly string[] = [...RECORDS];
