// `nightjar rules why-not`: which parts of a rule decided that it is not true of an event, or is.
import { BatchReader } from "@nightjar/events";
import { eventTypeName } from "@nightjar/proto";
import { explainerOf, isNamed, type Rule } from "@nightjar/rules";
import { type Command, Option } from "commander";
import { CommandError, type Context, define, type Environment } from "../../command.ts";
import type { ExitName } from "../../exit-codes.ts";
import { batchesOfFile } from "../../rules/event-file.ts";
import { loadPaths, sensorRulePaths } from "../../rules/load-paths.ts";
import { shownOf } from "../../rules/shown.ts";
import { showExplanation } from "../../show/explanation.ts";
import { printable } from "../../show/text.ts";

interface WhyNotOptions {
  event: string;
  index?: string;
}

export function whyNotCommand(environment: Environment): Command {
  return define<WhyNotOptions>(environment, {
    name: "why-not",
    description: "Say which parts of a rule were false of an event, with the values they saw.",
    arguments: [
      { name: "<rule>", description: "the rule's name, or the id of one of Sigma's" },
      { name: "[paths...]", description: "files or folders of rules; without any, the rules of the sensor" },
    ],
    options: [
      new Option(
        "--event <file>",
        "a recording; lines of `nightjar tap` or `nightjar detections --json`; or an event as in tests of rules, " +
          "e.g. {evt.type: openat, fd.name: /etc/shadow}",
      ).makeOptionMandatory(),
      new Option("--index <number>", "which event of the file, from 0 on (default: all that are not true, at most 10)"),
    ],
    settings: ["rule_engine.rules"],
    examples: [
      "nightjar rules why-not 'Secret file read by an unexpected program' --event event.yaml",
      "nightjar rules why-not 'My rule' my-rules.yaml --event attack.njr --index 12",
    ],
    action: async (context, options, [name = "", ...paths]) => {
      const { rules } = loadPaths(paths.length > 0 ? paths : sensorRulePaths(context));
      const rule = rules.find((one) => isNamed(one, name));
      if (!rule) throw new CommandError("USAGE", `no rule is called ${JSON.stringify(name)}`);
      return whyNot(context, rule, options);
    },
  });
}

const EVENTS_SHOWN_MAX = 10;

async function whyNot(context: Context, rule: Rule, { event, index }: WhyNotOptions): Promise<ExitName> {
  const only = index === undefined ? undefined : Number(index);
  if (only !== undefined && !Number.isSafeInteger(only)) throw new CommandError("USAGE", "--index is a whole number");
  let at = 0;
  let shown = 0;
  for await (const bytes of batchesOfFile(event)) {
    const batch = new BatchReader(bytes);
    const explain = explainerOf(batch);
    for (let eventIndex = 0; eventIndex < batch.length; eventIndex++, at++) {
      if (only === undefined ? shown >= EVENTS_SHOWN_MAX : only !== at) continue;
      show(context, rule, {
        at,
        type: eventTypeName(batch.eventType(eventIndex)),
        explanation: explain(rule, eventIndex),
      });
      shown++;
    }
  }
  if (shown === 0) throw new CommandError("USAGE", `${event} has ${at} events; --index counts from 0`);
  if (shown < at && only === undefined) context.output.note(`${at} events; --index shows others`);
  return "OK";
}

interface Answer {
  at: number;
  type: string;
  explanation: ReturnType<ReturnType<typeof explainerOf>>;
}

function show({ output }: Context, rule: Rule, { at, type, explanation }: Answer): void {
  const matches = explanation.parts[0]?.holds === true;
  const verdict = matches ? output.paint("green", "matches") : output.paint("yellow", "does not match");
  const off = rule.enabled ? "" : "; the rule is not enabled";
  output.line(`${output.paint("bold", printable(rule.name))} ${verdict} event ${at} (${type})${off}`);
  showExplanation(output, shownOf(explanation));
  output.json({ rule: rule.name, enabled: rule.enabled, event: at, event_type: type, matches, ...explanation });
}
