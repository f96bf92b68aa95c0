// `nightjar decode`: the bytes of one message in, JSON lines out; made for `nats sub --translate`.
import { buffer } from "node:stream/consumers";
import { MESSAGE_BYTES_MAX } from "@nightjar/stage";
import type { Command } from "commander";
import { CommandError, define, type Environment } from "../command.ts";
import { messageRows } from "../show/message.ts";

export function decodeCommand(environment: Environment): Command {
  return define(environment, {
    name: "decode",
    description: "Read one message of the bus from standard input and print it as JSON lines.",
    arguments: [{ name: "[subject]", description: "the message's subject; without it the bytes tell what it is" }],
    examples: ["nats sub nightjar.events --translate 'nightjar decode'"],
    action: async ({ output, streams }, _options, [subject]) => {
      const bytes = await buffer(streams.stdin);
      if (bytes.length > MESSAGE_BYTES_MAX) {
        throw new CommandError("FAILED", `${bytes.length} bytes are more than a message on the bus has`);
      }
      const rows = messageRows(bytes, subject);
      if (!rows) throw new CommandError("FAILED", `these ${bytes.length} bytes are no message of Nightjar's`);
      for (const row of rows) output.raw(`${JSON.stringify(row)}\n`);
      return "OK";
    },
  });
}
