// `nightjar explain`: why a detection was made, part by part of its rule's condition.
import { readFileSync } from "node:fs";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { connectPortalOf, isAway, PORTAL_SETTINGS } from "../connect/portal.ts";
import type { ExitName } from "../exit-codes.ts";
import { shownOfJson } from "../rules/shown.ts";
import { detectionJson } from "../show/detection.ts";
import { showExplanation } from "../show/explanation.ts";
import { printable } from "../show/text.ts";

interface ExplainOptions {
  file?: string;
}

/** A detection as `nightjar detections --json` writes it; fields that are not set are left out. */
interface DetectionJson {
  id?: string;
  rule?: string;
  rule_place?: string;
  priority?: string;
  time?: string;
  output?: string;
  techniques?: string[];
  tactics?: string[];
  explanation?: unknown;
  /** Of a correlation: the events it is made of, in their order. */
  correlated?: CorrelatedJson[];
  correlated_omitted?: number;
}

interface CorrelatedJson {
  event_id?: string;
  rule?: string;
  time?: string;
  output?: string;
}

export function explainCommand(environment: Environment): Command {
  return define<ExplainOptions>(environment, {
    name: "explain",
    description:
      "Say why a detection was made: which parts of its rule's condition were true, and of which values; of a " +
      "correlation, which events it is made of, in their order.",
    arguments: [{ name: "[detection]", description: "its id, or the first digits of it" }],
    options: [new Option("--file <file>", "a file with detections as JSON lines, instead of asking the portal")],
    settings: PORTAL_SETTINGS,
    examples: ["nightjar explain 1f3a9c02", "nightjar explain --file detections.jsonl --json"],
    action: async (context, { file }, [id = ""]) => {
      if (id === "" && file === undefined) throw new CommandError("USAGE", "a detection's id or --file is wanted");
      const found = (file === undefined ? await ask(context, id) : readJsonLines(file)).filter((one) =>
        one.id?.startsWith(id),
      );
      if (found.length === 0) throw new CommandError("FAILED", `no detection's id begins with ${JSON.stringify(id)}`);
      for (const detection of found) show(context, detection);
      return "OK" satisfies ExitName;
    },
  });
}

async function ask(context: Context, idPrefix: string): Promise<DetectionJson[]> {
  if (!/^[0-9a-f]{4,32}$/.test(idPrefix)) {
    throw new CommandError("USAGE", `${JSON.stringify(idPrefix)} is no id; it has 4 to 32 hex digits`);
  }
  try {
    const { detections } = await connectPortalOf(context).listDetections({ idPrefix });
    return detections.map(detectionJson) as DetectionJson[];
  } catch (error) {
    if (!isAway(error)) throw error;
    throw new CommandError("NOT_RUNNING", `the portal does not answer: ${(error as Error).message}`);
  }
}

function readJsonLines(file: string): DetectionJson[] {
  try {
    const text = readFileSync(file, "utf8").trim();
    // One document over several lines, or one a line.
    const documents = text.startsWith("{\n") ? [text] : text.split("\n").filter((line) => line.trim() !== "");
    return documents.map((document) => JSON.parse(document) as DetectionJson);
  } catch (error) {
    throw new CommandError("USAGE", `${file} has no detections as JSON: ${(error as Error).message}`);
  }
}

function show({ output }: Context, detection: DetectionJson): void {
  const { id = "", rule = "", rule_place = "", priority = "", time = "", techniques = [], tactics = [] } = detection;
  const explanation = shownOfJson(detection.explanation);
  output.line(`${output.paint("bold", printable(rule))}  ${priority}  ${output.paint("dim", `${time}  ${id}`)}`);
  output.line(`    ${printable(detection.output ?? "")}`);
  const attack = [...techniques, ...tactics].join(", ");
  output.line(`    ${output.paint("dim", printable([`rule at ${rule_place}`, attack].filter(Boolean).join("; ")))}`);
  const { correlated = [], correlated_omitted = 0 } = detection;
  if (explanation) showExplanation(output, explanation);
  else if (correlated.length === 0)
    output.line("    it carries no explanation: it was made by an older sensor, or was too large for one");
  for (const [at, one] of correlated.entries()) {
    output.line(`    ${at + 1}. ${output.paint("dim", one.time ?? "")} ${printable(one.rule ?? "")}`);
    output.line(`       ${printable(one.output ?? "")}`);
  }
  if (correlated_omitted > 0) output.line(`    … and ${correlated_omitted} more events`);
  const parts = { explanation: explanation ?? null, correlated, correlated_omitted };
  output.json({ id, rule, rule_place, priority, time, techniques, tactics, ...parts });
}
