// `nightjar rules schema`: the JSON schemas by which editors complete and check rules files and their tests.
import { RULES_SCHEMA, TESTS_SCHEMA } from "@nightjar/rules";
import { type Command, Option } from "commander";
import { define, type Environment } from "../../command.ts";

interface SchemaOptions {
  tests?: boolean;
}

export function schemaCommand(environment: Environment): Command {
  return define<SchemaOptions>(environment, {
    name: "schema",
    description: "Print the JSON schema of rules files, for editors.",
    options: [new Option("--tests", "that of files with tests of rules")],
    examples: ["nightjar rules schema > rules.schema.json", "nightjar rules schema --tests > tests.schema.json"],
    action: async ({ output }, { tests = false }) => {
      output.raw(`${JSON.stringify(tests ? TESTS_SCHEMA : RULES_SCHEMA, undefined, 2)}\n`);
      return "OK";
    },
  });
}
