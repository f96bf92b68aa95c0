// `nightjar doctor`: what this machine's kernel offers, what was taken, what is missing, and what that costs in sight.
import type { StageStatus } from "@nightjar/proto";
import { loadRules, wishesOf } from "@nightjar/rules";
import { askStatuses, RULE_PATHS_FACT, readHost, readRuleFiles } from "@nightjar/stage";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import { type DoctorCode, doctorCodes, remedyOf } from "../doctor/codes.ts";
import { filtersOf, holdersOf, showFilters } from "../doctor/filters.ts";
import { askCollector, attachedFound, offersFound, programsFound } from "../doctor/kernel.ts";
import { type Found, lookAtMachine } from "../doctor/machine.ts";
import { clockFound, clockSourceFound, diskFound, memoryFound, readDisk } from "../doctor/resources.ts";
import { stagesFound } from "../doctor/stages.ts";
import { wayFound } from "../doctor/way.ts";
import type { ExitName } from "../exit-codes.ts";
import { STARTER_RULES } from "../rules/load-paths.ts";
import { cloudLine, hostLine } from "../show/host.ts";
import { table } from "../show/table.ts";
import { printable } from "../show/text.ts";
import { connectivityCommand } from "./connectivity.ts";

interface Section {
  title: string;
  found: Found[];
}

export function doctorCommand(environment: Environment): Command {
  const command = define<{ filters?: boolean }>(environment, {
    name: "doctor",
    description:
      "Tell what the kernel offers, what the sensor takes of it, and what is missing costs in sight; how the " +
      "machine, the way to the portal and the stages are. Each finding has a verdict and what to try.",
    options: [
      new Option("--filters", "tell instead who, and which rule, makes the kernel send which events, and how many"),
    ],
    examples: ["nightjar doctor --json", "nightjar doctor --filters"],
    action: (context, { filters }) => (filters ? doctorFilters(context) : doctor(context)),
  });
  command.addCommand(connectivityCommand(environment));
  return command;
}

async function doctor(context: Context): Promise<ExitName> {
  const sections = await examine(context);
  const codes = sections.flatMap(({ found }) => found.flatMap(({ code }) => (code ? [code] : [])));
  show(context, sections, codes);
  const isFatal = codes.some((code) => doctorCodes[code].cost === "fatal");
  if (codes.includes("RIGHTS_MISSING")) return "NOT_PERMITTED";
  return isFatal ? "FAILED" : "OK";
}

/** Of the rules that the running sensor has, with what it counted; where none runs, of those that the settings name. */
async function doctorFilters(context: Context): Promise<ExitName> {
  const statuses = await runningStages(context);
  const running = statuses?.find(({ stage }) => stage === "rule-engine")?.facts[RULE_PATHS_FACT]?.split("\n");
  const named = context.settings.rule_engine.rules;
  const { files, problems } = readRuleFiles(running ?? (named.length > 0 ? named : [STARTER_RULES]));
  for (const { file, message } of problems) context.output.note(`${file} cannot be read: ${message}`);
  const loaded = loadRules(files);
  const faults = loaded.problems.filter(({ severity }) => severity === "error").length;
  if (faults > 0) context.output.note(`${faults} mistakes in the rules: \`nightjar rules check\` tells them`);
  const collector = statuses?.find(({ stage }) => stage === "collector");
  const types = filtersOf(wishesOf(loaded.rules), collector?.ledger ?? []);
  showFilters(context.output, types, holdersOf(collector?.facts ?? {}));
  return "OK";
}

/** A running sensor is asked what it attached; where there is none, its programs are loaded once, to try. */
async function examine(context: Context): Promise<Section[]> {
  const statuses = await runningStages(context);
  const check = await askCollector(statuses === undefined);
  const collector = statuses?.find(({ stage }) => stage === "collector");
  const ringBytes = collector?.counters.ring_bytes ?? context.settings.collector.ring_bytes;
  return [
    {
      title: "this machine",
      found: [...hostFound(statuses), ...lookAtMachine(), { what: "ring buffer", is: `${ringBytes} bytes` }],
    },
    {
      title: "what it has for the sensor",
      found: [
        diskFound(context.stateDir, readDisk(context.stateDir)),
        memoryFound(),
        clockSourceFound(),
        await clockFound(),
        await wayFound(context),
      ],
    },
    ...(statuses ? [{ title: "the running sensor", found: stagesFound(statuses) }] : []),
    { title: "the kernel's offers", found: offersFound(check) },
    {
      title: statuses ? "attached by the running sensor" : "attached when tried",
      found: statuses ? attachedFound(collector) : programsFound(check),
    },
  ];
}

function hostFound(statuses: readonly StageStatus[] = []): Found[] {
  const host = readHost();
  const cloud = statuses.find((status) => status.cloud)?.cloud;
  return [
    { what: "host", is: hostLine(host) },
    { what: "machine id, boot id", is: `${host.machineId || "none"}, ${host.bootId}` },
    ...(cloud ? [{ what: "cloud", is: cloudLine(cloud) }] : []),
  ];
}

/** Undefined where no sensor runs. */
async function runningStages({ stateDir }: Context): Promise<StageStatus[] | undefined> {
  try {
    const connection = await connectAs(stateDir, "operator");
    try {
      return await askStatuses(connection);
    } finally {
      await connection.close();
    }
  } catch (error) {
    if (error instanceof CommandError) return undefined;
    throw error;
  }
}

function show({ output }: Context, sections: readonly Section[], codes: readonly DoctorCode[]): void {
  const mark = (code: DoctorCode | undefined) => (code ? { fatal: "✗", less: "!", none: "–" }[costOf(code)] : "✓");
  for (const { title, found } of sections) {
    output.line(output.paint("bold", title));
    const rows = found.map(({ what, is, code }) => [mark(code), what, printable(is), code ?? ""]);
    for (const line of table(rows)) output.line(`  ${line}`);
    output.line();
  }
  for (const code of new Set(codes)) {
    output.line(`${code}: ${doctorCodes[code].doc}`);
    const remedy = remedyOf(code);
    if (remedy) output.line(`  what to try: ${remedy}`);
  }
  output.json({
    sections: sections.map(({ title, found }) => ({
      title,
      found: found.map((one) => ({ ...one, ...verdictOf(one.code) })),
    })),
  });
}

/** For a program: "ok", or what it costs, and what to try. */
function verdictOf(code: DoctorCode | undefined): { verdict: string; cost?: string; remedy?: string } {
  if (!code) return { verdict: "ok" };
  const [cost, remedy] = [costOf(code), remedyOf(code)];
  return { verdict: cost, cost, ...(remedy && { remedy }) };
}

const costOf = (code: DoctorCode) => doctorCodes[code].cost;
