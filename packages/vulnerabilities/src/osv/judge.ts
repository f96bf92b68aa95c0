// Whether a version is affected: in one of the intervals, or one of the single versions (OSV's schema, "Evaluation").
import type { AffectedInterval, AffectedPackage } from "@nightjar/proto";
import type { VersionOrder } from "../versions/order.ts";
import { FIRST } from "./intervals.ts";

/** A version that is none of the order's is affected only where it is named. */
export function isAffected(affected: AffectedPackage, version: string, order: VersionOrder): boolean {
  if (affected.versions.includes(version)) return true;
  return order.isVersion(version) && affected.intervals.some((interval) => contains(interval, version, order));
}

/** The first version that ends the interval in which the version is; "" where none is known. */
export function fixedVersionOf(affected: AffectedPackage, version: string, order: VersionOrder): string {
  if (!order.isVersion(version)) return "";
  return affected.intervals.find((interval) => contains(interval, version, order))?.fixed ?? "";
}

function contains(
  { introduced, fixed, lastAffected }: AffectedInterval,
  version: string,
  order: VersionOrder,
): boolean {
  if (introduced !== FIRST && order.compare(version, introduced) < 0) return false;
  if (fixed !== "") return order.compare(version, fixed) < 0;
  return lastAffected === "" || order.compare(version, lastAffected) <= 0;
}
