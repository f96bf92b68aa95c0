// Writes docs/reference/rules.md and sigma.md from the tables of the rule languages.
//
//   node packages/rules/scripts/reference.ts
import { writeFileSync } from "node:fs";
import { rulesReference } from "../src/reference.ts";
import { sigmaReference } from "../src/sigma/reference.ts";

writeFileSync(new URL("../../../docs/reference/rules.md", import.meta.url), rulesReference());
writeFileSync(new URL("../../../docs/reference/sigma.md", import.meta.url), sigmaReference());
