// Every code a stage may raise as a health issue, and what it means. docs/reference/health.md is made from it.
import { HealthSeverity } from "@nightjar/proto";

interface HealthCode {
  severity: HealthSeverity;
  /** What was lost or is at risk, and what to do. */
  doc: string;
}

const WARNING = HealthSeverity.WARNING;
const ERROR = HealthSeverity.ERROR;

export const healthCodes = {
  BUS_UNREACHABLE: {
    severity: ERROR,
    doc: "The stage cannot reach nats-server. It keeps what it has and tries again.",
  },
  BUS_REFUSED: { severity: ERROR, doc: "nats-server refused a message. The stage keeps it and tries again." },
  BUS_SERVER_FAULTY: {
    severity: WARNING,
    doc:
      "This nats-server is of a version that can stall a work queue after a crash (before 2.11.4). The bus heals the " +
      "stall; a newer server does not need it.",
  },
  BUS_SERVER_RESTARTED: { severity: WARNING, doc: "nats-server ended by itself and was started again." },
  BUS_STORE_BROKEN: {
    severity: ERROR,
    doc: "The stored streams could not be read. They were set aside beside the new store and what was in them is lost.",
  },
  STREAM_FULL: {
    severity: ERROR,
    doc: "A stream is full or nearly: its reader is too slow or away. Its writers hold back.",
  },
  DISK_FULL: {
    severity: ERROR,
    doc: "The disk of the state folder is full or nearly. Stages hold back what they cannot store.",
  },
  GARBAGE: {
    severity: WARNING,
    doc: "A message was no valid batch. It was kept in the stage's folder garbage/ and passed over.",
  },
  POISON: {
    severity: ERROR,
    doc:
      "A message made the stage crash several times in a row. It was kept in the stage's folder garbage/ and passed " +
      "over.",
  },
  EVENTS_DROPPED: {
    severity: ERROR,
    doc: "The kernel had no room for events. The ledger says how many of which type.",
  },
  GOVERNOR_NOISY_READS: {
    severity: WARNING,
    doc:
      "The sensor took more of the host than its [budget](../governor.md). Of programs that open more than 50 files " +
      "a second one read of 16 is told. The message says what was over, and at its end how long and how much.",
  },
  GOVERNOR_READS: {
    severity: WARNING,
    doc: "The same, and more: no reading of files is told.",
  },
  GOVERNOR_LIBRARIES: {
    severity: WARNING,
    doc: "The same, and more: of libraries that are loaded one of 16 is told.",
  },
  GOVERNOR_NETWORK: {
    severity: ERROR,
    doc: "The same, and more: of the network only event types that a rule asks for are told.",
  },
  GOVERNOR_WRITES: {
    severity: ERROR,
    doc: "The same, and more: writing to files is told at governor.sensitive_paths only.",
  },
  GOVERNOR_ALL_BUT_PROCESSES: {
    severity: ERROR,
    doc: "The same, and more: only processes that start, end, or change who they are, are told.",
  },
  FILTERS_WIDENED: {
    severity: WARNING,
    doc:
      "The rules name more paths, commands or ports than the kernel's filters hold: of some event types everything " +
      "is taken. Nothing is lost, but it costs more.",
  },
  PROBE_PARTIAL: {
    severity: WARNING,
    doc: "Some of the probe's programs could not be attached: those event types are not seen.",
  },
  PROBE_UNPINNED: {
    severity: WARNING,
    doc:
      "The probe is not pinned in a BPF file system: when the collector dies, what its ring buffer held is lost, and " +
      "what happens until it is back is not seen.",
  },
  PROBE_RING_LOST: {
    severity: ERROR,
    doc: "A ring buffer that another version of the collector left behind could not be read; what it held is lost.",
  },
  RULES_PROBLEM: {
    severity: WARNING,
    doc: "A rules file has mistakes. At the start the other rules are in force, at a change the rules before stay.",
  },
  CORRELATION_LIMIT: {
    severity: WARNING,
    doc:
      "Correlations had more groups or matches than they may keep. Those idle longest were given up, so that a " +
      "correlation may not fire, or its detection lacks events.",
  },
  RULES_NONE: { severity: ERROR, doc: "No rule could be loaded: nothing can be detected." },
  SUPPRESSIONS_EXPIRED: {
    severity: WARNING,
    doc: "A suppression is over: what it hid is told again. Take it out of its file, or give it another end.",
  },
  FACTS_LOST: {
    severity: WARNING,
    doc:
      "The aggregator was too slow or away for so long that facts had to make room for newer ones. Indicators that " +
      "only they showed are not looked up.",
  },
  INDICATORS_UNSTORED: {
    severity: WARNING,
    doc:
      "The aggregator cannot write to its folder, as on a full disk. It goes on from memory: after a restart " +
      "indicators are asked for again, and verdicts on those shown meanwhile find no processes.",
  },
  INVENTORY_UNSTORED: {
    severity: WARNING,
    doc:
      "The aggregator cannot write its inventory, as on a full disk. It goes on from memory and tries again each " +
      "second: after a restart the inventory is as it was written last, and what runs is read anew.",
  },
  INVENTORY_UNANSWERED: {
    severity: WARNING,
    doc:
      "The enricher does not tell what runs: the inventory has what was seen before, and what events show. It is " +
      "asked again each second.",
  },
  INVENTORY_UNEXPORTED: {
    severity: WARNING,
    doc: "The inventory of the last 48 hours could not be written to its files; those before stand.",
  },
  INVENTORY_BROKEN: {
    severity: WARNING,
    doc: "What the aggregator kept of its inventory could not be read. It was set aside, and is begun anew.",
  },
  INDICATORS_BROKEN: {
    severity: WARNING,
    doc: "What the aggregator kept could not be read. It was set aside; verdicts on what it knew find no processes.",
  },
  PORTAL_UNREACHABLE: {
    severity: ERROR,
    doc:
      "The portal cannot be reached, or does not let the sensor in. Detections wait in the outbox. What each reason " +
      "means and what to try: [connectivity](connectivity.md).",
  },
  METRICS_UNAVAILABLE: {
    severity: WARNING,
    doc: "The loopback port of the setting `metrics.port` cannot be had; something else listens there.",
  },
  STAGE_CRASHED: {
    severity: WARNING,
    doc:
      "A stage ended by a mistake of its own within the last hour and was started again. The message says which; the " +
      "report is in the stage's folder `crashes/`, and the portal has it with the heartbeat. It ends when the stage " +
      "has been well for a minute.",
  },
  STAGE_SAFE_MODE: {
    severity: ERROR,
    doc:
      "A stage failed ten times in a row and runs in safe mode: with its caches cleared, the rule engine with the " +
      "bundle of content before. If it fails once more it stops (exit code 5) until somebody starts it.",
  },
  STAGE_SILENT: {
    severity: ERROR,
    doc:
      "A stage has not answered for half a minute: it is not running, or hangs, and its work is not done. Its log, " +
      "and that of whoever supervises it, say why.",
  },
  CONTENT_REFUSED: {
    severity: WARNING,
    doc:
      "The portal offered content that is not taken, for the reason in the message ([codes](errors.md)). What was in " +
      "force before stays.",
  },
  CONTENT_UNUSABLE: {
    severity: ERROR,
    doc:
      "The bundle that is in force cannot be read from the disk, so its rules are not. The uplink downloads it anew " +
      "when it is started again.",
  },
  OUTBOX_FULL: {
    severity: ERROR,
    doc: "The outbox reached its limit. Of the lowest severity the most repeated detections were deleted first.",
  },
  DETECTIONS_STALE: { severity: ERROR, doc: "Detections waited too long for the portal and were deleted." },
  DETECTION_REFUSED: {
    severity: ERROR,
    doc: "The portal will never take a detection as it is. It is kept in the outbox's part for refused ones.",
  },
  INDICATORS_PURGED: {
    severity: WARNING,
    doc:
      "The portal was not heard, or did not answer look-ups, for as long as `uplink.stale_after_h` says. What was " +
      "collected to be looked up, and what was remembered of earlier answers, is deleted: what is seen again is " +
      "asked anew, what is not seen again has no verdict.",
  },
  INDICATOR_FILTER_UNUSABLE: {
    severity: WARNING,
    doc: "The filter of indicators cannot be read. All that is seen is asked of the portal.",
  },
  OUTBOX_BROKEN: {
    severity: ERROR,
    doc: "The outbox could not be read. It was set aside, and the detections that waited in it are not sent.",
  },
  OUTPUT_FAILING: {
    severity: ERROR,
    doc:
      "An output beside the portal does not take detections; which and why is in the message. They wait in its " +
      "queue; the other outputs and the portal go on. `nightjar outputs test NAME` tries it at once.",
  },
  OUTPUT_LOSING: {
    severity: ERROR,
    doc:
      "Detections were deleted before an output took them: its queue was full, they had waited too long, or its " +
      "receiver refused them for good. `nightjar outputs` counts them. It ends when the output delivers again.",
  },
  KUBERNETES_UNREACHABLE: {
    severity: WARNING,
    doc:
      "The API server or the kubelet does not answer. What it told before stays; of pods made since then only what " +
      "the container's runtime knows is told, and the rest once it answers again.",
  },
  KUBERNETES_REFUSED: {
    severity: WARNING,
    doc:
      "The API server or the kubelet does not let the sensor list pods. Give its account the role in " +
      "[Kubernetes](../kubernetes.md).",
  },
  KUBERNETES_NO_PODS: {
    severity: WARNING,
    doc: "Kubernetes knows no pod on this node. Is metadata.kubernetes_node the node's name?",
  },
  CONTAINERS_UNKNOWN: {
    severity: WARNING,
    doc:
      "Containers were seen whose runtime was not found or does not answer: detections carry their ids, without " +
      "names, images and labels, until it does. Where its socket is at another place, `metadata.places` names it.",
  },
  FILES_UNREAD: {
    severity: WARNING,
    doc:
      "Executed files or package databases could not be read, as on a file system that does not answer: detections " +
      "lack the digest or the package, and say why.",
  },
  ENRICHMENT_LOST: { severity: WARNING, doc: "Processes were evicted from the process tree before they ended." },
} as const satisfies Record<string, HealthCode>;

export type HealthCodeName = keyof typeof healthCodes;

/** Exit codes of a stage's process; what each means stands below. */
export const EXIT_OK = 0;
export const EXIT_BUG = 1;
export const EXIT_SETTINGS = 2;
export const EXIT_PROBE = 3;
export const EXIT_REFUSED = 4;
export const EXIT_GIVEN_UP = 5;
export const EXIT_BUS_MOVED = 10;

export const stageExitCodes: readonly (readonly [code: number, doc: string])[] = [
  [EXIT_OK, "It was asked to end and did."],
  [EXIT_BUG, "A bug, or something it cannot go on without; its log says what. It is to be started again."],
  [EXIT_SETTINGS, "A setting is not allowed, or a file named by one cannot be used; starting again is no use."],
  [EXIT_PROBE, "The kernel does not let the probe load; starting again is no use."],
  [EXIT_REFUSED, "It cannot do its work until a person changes something, which its log names."],
  [
    EXIT_GIVEN_UP,
    "It failed again and again, in safe mode too, and stops; the others go on. Whoever starts it lets it try anew.",
  ],
  [EXIT_BUS_MOVED, "The bus has another address now; started again, the stage finds it."],
];
