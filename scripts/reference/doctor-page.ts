// The page of what `nightjar doctor` can find.
import { type DoctorCode, doctorCodes, remedyOf } from "../../cli/src/doctor/codes.ts";
import { page, tableOf } from "./text.ts";

const COSTS = {
  fatal: "the sensor cannot run",
  less: "it sees less, or may lose more",
  none: "nothing is lost to sight",
};

export function doctorPage(): string {
  return page(
    "What nightjar doctor finds",
    "It looks at the machine (kernel, rights, security modules, cgroups, disk, memory, clock), tries each kind of " +
      "program with one that does nothing, walks the way to the portal, and says how the running sensor's stages are " +
      "and what they attached; where none runs, its programs are loaded once. It ends with `FAILED` where the sensor " +
      "cannot run, with `NOT_PERMITTED` where only rights are missing, else with `OK`. `✓` is there, `–` is missing " +
      "and costs no sight, `!` costs some, `✗` costs all. What was found on which kernel: " +
      "[kernels.md](../kernels.md).",
    tableOf(
      ["code", "costs", "what it means", "what to try"],
      Object.entries(doctorCodes).map(([code, { cost, doc }]) => [
        ...[`\`${code}\``, COSTS[cost], doc],
        remedyOf(code as DoctorCode) ?? "–",
      ]),
    ),
  );
}
