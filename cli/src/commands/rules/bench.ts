// `nightjar rules bench`: what each rule costs for an event, the worst first.
import { BatchReader } from "@nightjar/events";
import { eventTypes } from "@nightjar/proto";
import { encodeBrief, type Rule, readEventFile } from "@nightjar/rules";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../../command.ts";
import type { ExitName } from "../../exit-codes.ts";
import { batchesOfFile } from "../../rules/event-file.ts";
import { loadPaths, sensorRulePaths } from "../../rules/load-paths.ts";
import { measureRules, type RuleCost } from "../../rules/measure.ts";
import { table } from "../../show/table.ts";
import { printable } from "../../show/text.ts";

interface BenchOptions {
  event?: string;
  top: string;
}

const TOP = "20";

export function benchRulesCommand(environment: Environment): Command {
  return define<BenchOptions>(environment, {
    name: "bench",
    description: "Measure what each rule costs by itself: processor time for an event and its share, the worst first.",
    arguments: [{ name: "[paths...]", description: "files or folders of rules; without any, the rules of the sensor" }],
    options: [
      new Option("--event <file>", "a recording, or events as in tests of rules (default: some of every event type)"),
      new Option("--top <count>", "print so many rules").default(TOP),
    ],
    settings: ["rule_engine.rules"],
    examples: ["nightjar rules bench my-rules.yaml", "nightjar rules bench rules/ --event work.njr --top 50 --json"],
    action: (context, options, paths) => bench(context, options, paths),
  });
}

async function bench(context: Context, options: BenchOptions, paths: readonly string[]): Promise<ExitName> {
  const { output } = context;
  const { rules } = loadPaths(paths.length > 0 ? paths : sensorRulePaths(context));
  const top = Number(options.top);
  if (!Number.isSafeInteger(top) || top < 1) throw new CommandError("USAGE", "--top is a whole number from 1 on");
  const batches = options.event === undefined ? [everyEvent()] : await copies(options.event);
  const events = batches.reduce((sum, bytes) => sum + new BatchReader(bytes).length, 0);
  if (events === 0) throw new CommandError("FAILED", `${options.event} has no events`);
  const { costs, readingNs } = measureRules(
    rules.filter(({ enabled }: Rule) => enabled),
    batches,
    events,
  );
  const total = costs.reduce((sum, { nsPerEvent }) => sum + nsPerEvent, 0);
  show(context, costs.slice(0, top), total);
  output.note(
    `${costs.length} rules over ${events} events: ${total.toFixed(0)} ns an event if each were alone; ` +
      `reading an event costs ${readingNs.toFixed(0)} ns. Together they cost less: what they share is worked out once.`,
  );
  return "OK";
}

function show({ output }: Context, costs: readonly RuleCost[], total: number): void {
  const share = ({ nsPerEvent }: RuleCost): number => (total === 0 ? 0 : nsPerEvent / total);
  const rows = costs.map((cost) => [
    cost.nsPerEvent.toFixed(1),
    `${(100 * share(cost)).toFixed(1)} %`,
    String(cost.matches),
    printable(cost.rule),
  ]);
  for (const line of table([["NS/EVENT", "SHARE", "MATCHES", "RULE"], ...rows], [0, 1, 2])) output.line(line);
  for (const cost of costs) {
    output.json({ rule: cost.rule, ns_per_event: cost.nsPerEvent, share: share(cost), matches: cost.matches });
  }
}

async function copies(file: string): Promise<Uint8Array[]> {
  const batches: Uint8Array[] = [];
  for await (const bytes of batchesOfFile(file)) batches.push(Uint8Array.from(bytes));
  return batches;
}

/** How often each type is there: enough that a batch is as large as those of a busy machine. */
const EVENTS_OF_A_TYPE = 4;

function everyEvent(): Uint8Array {
  const lines = eventTypes.map(({ name }) => `- {type: ${name}, process: /usr/bin/true}\n`).join("");
  const { events } = readEventFile("", lines.repeat(EVENTS_OF_A_TYPE));
  const { bytes, problems } = encodeBrief(events);
  if (!bytes) throw new Error(`the generated events cannot be made: ${problems[0]?.message}`);
  return bytes;
}
