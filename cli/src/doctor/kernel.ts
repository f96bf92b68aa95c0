// What the kernel lets the probe do, asked of the collector's program, and put into words.
import type { StageStatus } from "@nightjar/proto";
import { askProgram } from "./ask-program.ts";
import type { DoctorCode } from "./codes.ts";
import type { Found } from "./machine.ts";

/** As the collector names what was attached, in the facts of its status. */
const ATTACHMENT_FACT = "attachment.";

/** What `collector --check` prints. */
export interface KernelCheck {
  offers: { name: string; offered: boolean; code?: string }[];
  attachments: { program: string; point: string; attached: boolean; code?: string }[];
  refusal?: { code: string; message: string; cause: string; hints: string[] };
}

/** What it means that the kernel does not offer something, by the name that the collector gives it. */
const WITHOUT: Readonly<Record<string, DoctorCode>> = {
  btf: "BTF_MISSING",
  "ring buffer": "RING_BUFFER_MISSING",
  tp_btf: "TRACEPOINTS_REFUSED",
  fexit: "FEXIT_REFUSED",
  fentry: "FENTRY_REFUSED",
  lsm: "LSM_REFUSED",
  raw_tp: "RAW_TRACEPOINTS_REFUSED",
  tracepoint: "TRACEPOINTS_UNMOUNTED",
  kprobe: "KPROBES_MISSING",
  iterator: "ITERATORS_REFUSED",
};

/** Runs the collector's program so that it only tells; throws where it does not. */
export async function askCollector(withPrograms: boolean): Promise<KernelCheck> {
  return (await askProgram("collector", ["--check", withPrograms ? "programs" : "offers"])) as KernelCheck;
}

/** A row for each thing the kernel may offer. */
export function offersFound({ offers }: KernelCheck): Found[] {
  return offers.map(({ name, offered, code }) => ({
    what: name,
    is: offered ? "offered" : `refused: ${code}`,
    ...(offered ? {} : { code: WITHOUT[name] }),
  }));
}

/** What the check's own programs were attached to, or why there are none. */
export function programsFound({ attachments, refusal }: KernelCheck): Found[] {
  if (refusal)
    return [{ what: "programs", is: `${refusal.message}\n${refusal.cause}`.trim(), code: "PROGRAMS_REFUSED" }];
  return attachments.map(({ program, point, attached, code }) =>
    attached ? { what: program, is: point } : { what: program, is: `${point}: ${code}`, code: "ATTACHMENT_REFUSED" },
  );
}

/** What the running collector's programs are attached to. */
export function attachedFound(collector: StageStatus | undefined): Found[] {
  if (!collector) return [{ what: "collector", is: "does not answer", code: "COLLECTOR_SILENT" }];
  return Object.entries(collector.facts)
    .filter(([name]) => name.startsWith(ATTACHMENT_FACT))
    .map(([name, point]) => {
      const what = name.slice(ATTACHMENT_FACT.length);
      return point.startsWith("refused") ? { what, is: point, code: "ATTACHMENT_REFUSED" } : { what, is: point };
    });
}
