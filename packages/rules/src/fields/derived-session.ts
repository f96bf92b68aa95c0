// The fields of sessions and process groups: who leads them, at which terminal, and which person is behind them.
import { EventSchema, ExecSchema, ProcessSchema } from "@nightjar/proto";
import type { EventView, Image, ProcessView } from "../engine/event-view.ts";
import type { Value } from "./definition.ts";
import type { ValueType } from "./known.ts";
import { EVERY_EVENT, type ServedField } from "./served.ts";

const EXEC = ExecSchema.field;
const PROCESS = ProcessSchema.field;
const EVENT = EventSchema.field;
/** The kernel's (uid_t)-1, of login uids and audit sessions: there is none. */
const NOT_SET = 0xffff_ffff;

type Get = (view: EventView) => Value;

/** Whoever leads a session or a group: the event's own process, or one of the table. */
interface Leader {
  name: string | undefined;
  image: Image | undefined;
}

/** What processes have in common: the field of Exec that numbers it, and the field of Process that has the leader. */
interface Common {
  id: number;
  leader: number;
}

const SESSION: Common = { id: EXEC.sessionId.number, leader: PROCESS.sessionLeader.number };
const GROUP: Common = { id: EXEC.processGroupId.number, leader: PROCESS.processGroupLeader.number };

const actorPid = (view: EventView): number => view.event.uint(EVENT.pid.number);
const pidOf = (process: ProcessView): number => process.message.uint(PROCESS.pid.number);

/**
 * The process whose pid is the session's or group's number: the actor itself, an ancestor, or one that the enricher
 * named. Where it is gone, as in Falco, the eldest in the line of ancestors that has the same number all the way.
 */
function leaderOf(view: EventView, { id, leader }: Common): Leader | undefined {
  const wanted = view.image?.message.uint(id);
  if (!wanted) return undefined;
  if (actorPid(view) === wanted) return view;
  const ancestors = view.ancestors();
  const found = ancestors.find((process) => pidOf(process) === wanted);
  if (found) return found;
  const named = view.process((view.actor?.message.uint(leader) ?? 0) - 1);
  if (named) return named;
  let eldest: Leader = view;
  for (const process of ancestors) {
    if (process.image?.message.uint(id) !== wanted) break;
    eldest = process;
  }
  return eldest;
}

const row = (name: string, from: string, get: Get): ServedField => ({
  name,
  events: EVERY_EVENT,
  from,
  getter: () => get,
});

const ownRow = (name: string, type: ValueType, from: string, get: Get): ServedField => ({
  ...row(name, from, get),
  type,
});

/** Name, argv[0] and path of a leader. */
function leaderRows(common: Common, who: string, names: readonly [name: string, exe: string, path: string]) {
  return [
    row(names[0], `Process.name of the ${who}`, (view) => leaderOf(view, common)?.name),
    row(names[1], `Exec.args[0] of the ${who}`, (view) => leaderOf(view, common)?.image?.args[0]),
    row(names[2], `Exec.executable of the ${who}`, (view) =>
      leaderOf(view, common)?.image?.message.text(EXEC.executable.number),
    ),
  ];
}

/** The numbers are those of the initial pid namespace: who leads is the same in each. */
const leads =
  ({ id }: Common): Get =>
  (view) => {
    const leader = view.image?.message.uint(id);
    return leader === undefined ? undefined : leader === actorPid(view);
  };

/** Falco takes for a shell what ends in sh. */
const isShell = (name: string | undefined): boolean => name?.endsWith("sh") ?? false;

function loginShell(view: EventView): Value {
  if (!view.actor) return undefined;
  const oldest = view
    .ancestors()
    .filter(({ name }) => isShell(name))
    .at(-1);
  if (oldest) return pidOf(oldest);
  return isShell(view.name) ? actorPid(view) : undefined;
}

function loginUid(image: Image | undefined): number | undefined {
  const uid = image?.message.uint(EXEC.loginUid.number);
  return uid === NOT_SET ? undefined : uid;
}

const hasTerminal = (image: Image | undefined): boolean => (image?.message.uint(EXEC.tty.number) ?? 0) !== 0;

function sessionType({ image }: EventView): Value {
  if (!image) return undefined;
  if (hasTerminal(image)) return "terminal";
  return loginUid(image) === undefined ? "service" : "login";
}

/**
 * Whoever sits at the terminal of a process without a login uid: the user of the line at a terminal who comes first,
 * root only where nobody else does, since login and sudo are root's and hold the terminal too.
 */
function atTerminal(view: EventView): ProcessView | undefined {
  if (!view.actor || !hasTerminal(view.image)) return undefined;
  const line = [view.actor, ...view.ancestors()].filter(({ image }) => hasTerminal(image)).reverse();
  return line.find((process) => process.message.uint(PROCESS.uid.number) !== 0) ?? line[0];
}

function personUid(view: EventView): Value {
  return loginUid(view.image) ?? atTerminal(view)?.message.uint(PROCESS.uid.number);
}

function personName(view: EventView): Value {
  if (loginUid(view.image) !== undefined) return view.actor?.message.text(PROCESS.loginUserName.number);
  return atTerminal(view)?.message.text(PROCESS.userName.number);
}

function auditSession({ image }: EventView): Value {
  const id = image?.message.uint(EXEC.auditSessionId.number);
  return id === NOT_SET || id === 0 ? undefined : id;
}

export const SESSION_FIELDS: readonly ServedField[] = [
  ...leaderRows(SESSION, "session's leader", ["proc.sname", "proc.sid.exe", "proc.sid.exepath"]),
  ...["pgid", "vpgid"].flatMap((group) => {
    const names = [`proc.${group}.name`, `proc.${group}.exe`, `proc.${group}.exepath`] as const;
    return leaderRows(GROUP, "process group's leader", names);
  }),
  row("proc.is_sid_leader", "Exec.session_id", leads(SESSION)),
  row("proc.is_pgid_leader", "Exec.process_group_id", leads(GROUP)),
  row("proc.is_vpgid_leader", "Exec.process_group_id", leads(GROUP)),
  row("proc.loginshellid", "Process.pid of the oldest ancestor that is a shell", loginShell),
  row("user.loginuid", "Exec.login_uid", ({ image }) => image && (loginUid(image) ?? -1)),
  ownRow(
    "nightjar.session.type",
    "string",
    "`terminal` with a controlling terminal, `login` without but with a login uid, else `service`",
    sessionType,
  ),
  ownRow(
    "nightjar.session.terminal",
    "string",
    "Exec.tty_name",
    ({ image }) => image?.message.text(EXEC.ttyName.number) || undefined,
  ),
  ownRow("nightjar.session.id", "int", "Exec.audit_session_id", auditSession),
  ownRow("nightjar.session.uid", "int", "Exec.login_uid, or Process.uid of who is at the terminal", personUid),
  ownRow(
    "nightjar.session.user",
    "string",
    "Process.login_user_name, or Process.user_name of who is at the terminal",
    personName,
  ),
];
