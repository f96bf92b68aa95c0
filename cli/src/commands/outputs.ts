// `nightjar outputs …`: how the outputs beside the portal are, and whether one takes a detection.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { OutputTestRequestSchema, OutputTestResponseSchema } from "@nightjar/proto";
import { ASK_OUTPUT_TEST_SUBJECT, askStatuses } from "@nightjar/stage";
import { Command } from "commander";
import { CommandError, type Context, define, type Environment } from "../command.ts";
import { connectAs } from "../connect/bus.ts";
import type { ExitName } from "../exit-codes.ts";
import { outputJson, outputLines } from "../show/outputs.ts";
import { printable } from "../show/text.ts";

/** Longer than `outputs.timeout_ms` may be, so that the answer says why it failed. */
const ANSWER_MS_MAX = 130_000;

export function outputsCommand(environment: Environment): Command {
  const outputs = new Command("outputs").description("Work with the outputs beside the portal.");
  outputs.addCommand(listCommand(environment), { isDefault: true });
  return outputs.addCommand(testCommand(environment));
}

function listCommand(environment: Environment): Command {
  return define(environment, {
    name: "list",
    description:
      "Print the outputs that are switched on: what each has sent, what waits for it, what it lost, and why.",
    examples: ["nightjar outputs list", "nightjar outputs list --json | jq 'select(.failure)'"],
    action: (context) => list(context),
  });
}

function testCommand(environment: Environment): Command {
  return define(environment, {
    name: "test",
    description: "Send a test detection by an output, past its queue, and say whether its receiver took it.",
    arguments: [{ name: "<name>", description: "file, syslog, webhook or otlp" }],
    examples: ["nightjar outputs test webhook"],
    action: (context, _options, [name = ""]) => test(context, name),
  });
}

async function list({ stateDir, output }: Context): Promise<ExitName> {
  const connection = await connectAs(stateDir, "operator");
  try {
    const uplink = (await askStatuses(connection)).find(({ stage }) => stage === "uplink");
    if (!uplink) throw new CommandError("NOT_RUNNING", "the uplink does not answer");
    for (const line of outputLines(uplink.outputs)) output.line(line);
    if (uplink.outputs.length === 0) output.line("no output is switched on: see docs/outputs.md");
    for (const one of uplink.outputs) output.json(outputJson(one));
  } finally {
    await connection.close();
  }
  return "OK";
}

async function test({ stateDir, output }: Context, name: string): Promise<ExitName> {
  const connection = await connectAs(stateDir, "operator");
  try {
    const question = toBinary(OutputTestRequestSchema, create(OutputTestRequestSchema, { name }));
    const answer = await connection.request(ASK_OUTPUT_TEST_SUBJECT, question, { timeout: ANSWER_MS_MAX }).catch(() => {
      throw new CommandError("NOT_RUNNING", "the uplink does not answer");
    });
    const { error, known, target, detectionId } = fromBinary(OutputTestResponseSchema, answer.data);
    output.json({ output: name, ok: error === "", error, target, detection_id: detectionId });
    if (error === "") {
      output.line(`${name} (${printable(target)}) took the test detection ${detectionId}`);
      return "OK";
    }
    const others = target === "" && known.length > 0 ? `; switched on are ${known.join(", ")}` : "";
    output.note(`nightjar: ${name}: ${printable(error)}${others}`);
    return "FAILED";
  } finally {
    await connection.close();
  }
}
