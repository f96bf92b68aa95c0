// The command line as a plain list of commands, for what is made of it: completions and the manual page.
import type { Command, Option } from "commander";

export interface Described {
  /** "rules top"; empty for the program itself. */
  path: string;
  description: string;
  /** It does something itself, and does not only hold commands. */
  runs: boolean;
  /** As a person writes them: "<name>", "[names...]". */
  positional: readonly string[];
  options: readonly DescribedOption[];
  /** Names of commands below it, with what they do. */
  commands: readonly { name: string; description: string }[];
}

export interface DescribedOption {
  /** "-f, --follow", "--since <time>". */
  flags: string;
  /** Each way to write it: "-f", "--follow". */
  names: readonly string[];
  description: string;
  takesValue: boolean;
  /** All values that it may have; none where they are no list. */
  choices: readonly string[];
}

const BOOLEANS = ["true", "false"];

/** All commands in the order of the help, each before those below it. */
export function describe(command: Command, parents: readonly string[] = []): Described[] {
  const below = command.commands;
  const own: Described = {
    path: parents.join(" "),
    description: command.description(),
    runs: command.options.length > 0,
    positional: command.registeredArguments.map((one) => {
      const name = `${one.name()}${one.variadic ? "..." : ""}`;
      return one.required ? `<${name}>` : `[${name}]`;
    }),
    options: [...command.options.map(describeOption), HELP],
    commands: below.map((one) => ({ name: one.name(), description: one.description() })),
  };
  return [own, ...below.flatMap((one) => describe(one, [...parents, one.name()]))];
}

const HELP: DescribedOption = {
  flags: "-h, --help",
  names: ["-h", "--help"],
  description: "show the command's help",
  takesValue: false,
  choices: [],
};

function describeOption({ flags, short, long, description, required, optional, argChoices }: Option): DescribedOption {
  const isBoolean = flags.endsWith("<boolean>");
  return {
    flags,
    names: [short, long].filter((name) => name !== undefined),
    description,
    takesValue: required || optional,
    choices: argChoices ?? (isBoolean ? BOOLEANS : []),
  };
}
