// Tells the portal of every change in the life of the host's health issues, as patiently as it takes.
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { Code, ConnectError } from "@connectrpc/connect";
import { ReportHealthRequestSchema } from "@nightjar/proto";
import type { Backoff } from "@nightjar/stage";
import { failureOf, type PortalFailure } from "../failure.ts";
import type { HealthJournal } from "./journal.ts";
import { REPORT_ISSUES_MAX } from "./limits.ts";

export type ReportRequest = MessageInitShape<typeof ReportHealthRequestSchema>;

export interface ReporterOptions {
  journal: HealthJournal;
  sensorId: string;
  hostName: () => string;
  /** Resolves when the portal has stored them; rejects with a PortalFailure. */
  send: (request: ReportRequest) => Promise<void>;
  backoff: Backoff;
  /** Resolves after `ms`, or when it is worth while to try earlier. */
  wait: (ms: number) => Promise<void>;
  sent: (count: number) => void;
  failed: (failure: PortalFailure) => void;
  /** The portal will never take these as they are. */
  refused: (count: number, why: string) => void;
}

/** Runs until `signal` is aborted. The first call tells all that is open, so that nothing stays open by mistake. */
export async function runReporter(options: ReporterOptions, signal: AbortSignal): Promise<void> {
  const { journal, sensorId, backoff } = options;
  for (let isComplete = true; !signal.aborted; ) {
    if (!isComplete) await journal.waitForPending(signal);
    if (signal.aborted) return;
    const issues = journal.pending(REPORT_ISSUES_MAX);
    const openIds = isComplete ? journal.openIds : [];
    const request = { sensorId, hostName: options.hostName(), issues, isComplete, openIds };
    try {
      await options.send(create(ReportHealthRequestSchema, request));
      journal.confirm(issues);
      isComplete = false;
      backoff.reset();
      options.sent(issues.length);
    } catch (error) {
      if (signal.aborted) return;
      const failure = failureOf(error);
      if (isInvalid(failure)) {
        journal.confirm(issues);
        isComplete = false;
        options.refused(issues.length, failure.resp);
        continue;
      }
      options.failed(failure);
      await options.wait(backoff.next());
    }
  }
}

/** As against a failed precondition, which is `comm error (400)` too and has nothing to do with what was sent. */
function isInvalid({ cause }: PortalFailure): boolean {
  return cause instanceof ConnectError && cause.code === Code.InvalidArgument;
}
