// The systemd unit, user unit and slice that a cgroup belongs to, by its path: systemd's own reading of such paths
// (https://systemd.io/CGROUP_DELEGATION and cg_path_get_unit, src/basic/cgroup-util.c).
import { tagOf, varintSize, WIRE_BYTES, writeVarint } from "@nightjar/events";
import { ProcessSchema } from "@nightjar/proto";

export interface Units {
  /** Of the system's manager, e.g. "ssh.service", "session-3.scope"; empty where there is none. */
  unit: string;
  /** Of a user's manager, e.g. "app-firefox.service". */
  userUnit: string;
  /** The innermost of the system's, e.g. "user-1000.slice", "-.slice" for the root. */
  slice: string;
}

/** UNIT_NAME_MAX. */
const UNIT_NAME_CHARACTERS_MAX = 255;
/** unit_name_is_valid: what a name may be made of; the types that have a cgroup of their own, without slices. */
const UNIT = /^[A-Za-z0-9:_.\\@-]+\.(?:service|scope|socket|mount|swap)$/;
const SLICE = /^[A-Za-z0-9:_.\\@-]+\.slice$/;
const USER_MANAGER = /^user@\d+\.service$/;
const ROOT_SLICE = "-.slice";

/** All of it empty for paths that no systemd made, as "/docker/<id>". */
export function unitsOf(cgroup: string): Units {
  const names = cgroup.split("/").filter((name) => name !== "");
  const slices = countOf(names, isSlice);
  const unit = unitAt(names, slices);
  const userUnit = USER_MANAGER.test(unit) ? userUnitOf(names.slice(slices + 1)) : "";
  if (unit === "" && slices === 0) return { unit, userUnit, slice: "" };
  return { unit, userUnit, slice: slices === 0 ? ROOT_SLICE : (names[slices - 1] as string) };
}

/** Behind the user's own slices. */
function userUnitOf(names: readonly string[]): string {
  return unitAt(names, countOf(names, isSlice));
}

function isSlice(name: string): boolean {
  return name.length <= UNIT_NAME_CHARACTERS_MAX && SLICE.test(name);
}

function unitAt(names: readonly string[], at: number): string {
  // What could be taken for a file of the kernel's has an underscore before it (cg_escape).
  const name = names[at]?.replace(/^_/, "") ?? "";
  return name.length <= UNIT_NAME_CHARACTERS_MAX && UNIT.test(name) ? name : "";
}

/** How many at the beginning. */
function countOf(names: readonly string[], test: (name: string) => boolean): number {
  const first = names.findIndex((name) => !test(name));
  return first < 0 ? names.length : first;
}

const PROCESS = ProcessSchema.field;
/** Paths that are remembered; when there are more, all are forgotten. */
const PATHS_MAX = 4_096;
/** Three names, each with a tag and a length of two bytes. */
export const UNIT_FIELDS_BYTES_MAX = 3 * (UNIT_NAME_CHARACTERS_MAX + 4);

const remembered = new Map<string, string>();

/** The fields of a Process row that follow from its cgroup's path, encoded; one text for all that share the path. */
export function unitFieldsOf(cgroup: string): string {
  const known = remembered.get(cgroup);
  if (known !== undefined) return known;
  const { unit, userUnit, slice } = unitsOf(cgroup);
  const fields =
    field(PROCESS.unit.number, unit) + field(PROCESS.userUnit.number, userUnit) + field(PROCESS.slice.number, slice);
  if (remembered.size >= PATHS_MAX) remembered.clear();
  remembered.set(cgroup, fields);
  return fields;
}

/** Names are ASCII, so a character is a byte. */
function field(number: number, name: string): string {
  if (name === "") return "";
  const tag = tagOf(number, WIRE_BYTES);
  const bytes = Buffer.alloc(varintSize(tag) + varintSize(name.length) + name.length);
  bytes.write(name, writeVarint(bytes, writeVarint(bytes, 0, tag), name.length), "latin1");
  return bytes.toString("latin1");
}
