// The order of Python's versions: PEP 440.
import { compare, valid } from "@renovatebot/pep440";
import type { VersionOrder } from "./order.ts";

export const pep440: VersionOrder = { isVersion: (text) => valid(text) !== null, compare };
