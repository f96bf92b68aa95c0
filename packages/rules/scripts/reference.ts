// Writes docs/reference/rules.md from the tables of the rule language.
//
//   node packages/rules/scripts/reference.ts
import { writeFileSync } from "node:fs";
import { rulesReference } from "../src/reference.ts";

writeFileSync(new URL("../../../docs/reference/rules.md", import.meta.url), rulesReference());
