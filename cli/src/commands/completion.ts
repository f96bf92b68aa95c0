// `nightjar completion` and `nightjar man`: what shells and man(1) want, made of the commands themselves.
import type { Command } from "commander";
import { CommandError, define, type Environment } from "../command.ts";
import { bashCompletion } from "../shell/bash.ts";
import { type Described, describe } from "../shell/describe.ts";
import { fishCompletion } from "../shell/fish.ts";
import { manualPage } from "../shell/manual.ts";
import { zshCompletion } from "../shell/zsh.ts";

const SHELLS: Readonly<Record<string, (commands: readonly Described[]) => string>> = {
  bash: bashCompletion,
  zsh: zshCompletion,
  fish: fishCompletion,
};
const NAMES = Object.keys(SHELLS).join(", ");

export function completionCommand(environment: Environment): Command {
  return define(environment, {
    name: "completion",
    description: "Print what a shell needs to complete commands and options.",
    arguments: [{ name: "[shell]", description: `one of ${NAMES}` }],
    examples: [
      "source <(nightjar completion bash)",
      "nightjar completion fish > ~/.config/fish/completions/nightjar.fish",
    ],
    action: async ({ output }, _options, [shell = ""]) => {
      const make = Object.hasOwn(SHELLS, shell) ? SHELLS[shell] : undefined;
      if (!make) throw new CommandError("USAGE", `${JSON.stringify(shell)} is not allowed; allowed is one of ${NAMES}`);
      output.raw(make(describe(environment.program())));
      return "OK";
    },
  });
}

export function manCommand(environment: Environment): Command {
  return define(environment, {
    name: "man",
    description: "Print the manual page nightjar(1), in roff.",
    examples: ["nightjar man | man -l -"],
    action: async ({ output }) => {
      output.raw(manualPage(describe(environment.program())));
      return "OK";
    },
  });
}
