// The manual page nightjar(1), in roff.
import { otherVariables, SENSOR_VERSION, settingNames } from "@nightjar/stage";
import { exitCodes } from "../exit-codes.ts";
import type { Described } from "./describe.ts";

/** Where an installed sensor has its files, as the package lays them out. */
const FILES: readonly (readonly [path: string, doc: string])[] = [
  ["/etc/nightjar/nightjar.yaml", "the settings, a section a stage"],
  ["/var/lib/nightjar", "the state folder"],
  ["/var/log/nightjar", "the logs, JSON lines, a file a stage"],
];

const NOT_ASCII = /[\u0080-\u{10ffff}]/gu;

/** `commands` as `describe` gives them, the program first. */
export function manualPage([program, ...commands]: readonly Described[]): string {
  const flags = new Set(settingNames.map(({ flag }) => flag));
  const sections = [
    `.TH NIGHTJAR 1 "" "Nightjar ${SENSOR_VERSION}" "User Commands"`,
    heading("NAME"),
    "nightjar \\- runtime security sensor for Linux",
    heading("SYNOPSIS"),
    ".B nightjar\n.I command\n[\n.I options\n]",
    heading("DESCRIPTION"),
    roff(program?.description ?? ""),
    heading("COMMANDS"),
    ...commands.filter(({ runs }) => runs).map((one) => commandPart(one, flags)),
    heading("SETTINGS"),
    "Each is a flag of the commands that take it, a variable of the environment, and a key of the settings file.",
    ...settingNames.map(({ flag, variable, setting }) =>
      item(`${setting.secret ? "" : `${flag}, `}${variable}`, `${setting.doc} Allowed: ${setting.allowed}.`),
    ),
    heading("ENVIRONMENT"),
    ...Object.entries(otherVariables).map(([name, doc]) => item(name, doc)),
    heading("EXIT STATUS"),
    ...Object.entries(exitCodes).map(([name, { code, doc }]) => item(`${code} (${name})`, doc)),
    heading("FILES"),
    ...FILES.map(([path, doc]) => item(path, doc)),
  ];
  return `${sections.join("\n")}\n`;
}

function commandPart({ path, positional, description, options }: Described, settings: ReadonlySet<string>): string {
  const own = options.filter(({ names }) => !names.some((name) => settings.has(name)));
  return [
    `.SS ${roff(["nightjar", path, ...positional].join(" "))}`,
    roff(description),
    ...own.map(({ flags, description: doc, choices }) =>
      item(flags, choices.length > 0 ? `${doc} (${choices.join(", ")})` : doc),
    ),
  ].join("\n");
}

const heading = (title: string) => `.SH ${title}`;
const item = (tag: string, text: string) => `.TP\n.B ${roff(tag)}\n${roff(text)}`;

/** Text as roff takes it: its own characters spelled, and no line that it would take for a request. */
function roff(text: string): string {
  return text
    .replaceAll("\\", "\\e")
    .replaceAll("-", "\\-")
    .replaceAll("'", "\\(aq")
    .replaceAll("`", "\\(ga")
    .replaceAll(NOT_ASCII, (one) => `\\[u${one.codePointAt(0)?.toString(16).toUpperCase().padStart(4, "0")}]`)
    .replace(/^([.'])/gm, "\\&$1");
}
