// Which event types a rule can be true of.
import { eventTypes } from "@nightjar/proto";
import type { Rule } from "../files/load.ts";
import { specialiser } from "./specialise.ts";

/** Names of event types, as in `proto/`; none where the rule cannot match at all. */
export function eventTypesOf({ expression }: Pick<Rule, "expression">): string[] {
  return eventTypes
    .filter(({ id }) => {
      const narrowed = specialiser(id)(expression);
      return narrowed.kind !== "constant" || narrowed.value;
    })
    .map(({ name }) => name);
}
