// Every counter and fact of a stage's status by name, and what it says. docs/reference/counters.md is made from it.
import type { StageName, StreamName } from "./streams.ts";

type Docs = Readonly<Record<string, string>>;

/** Counters since the process started, unless they say "now". `<STREAM>` stands for each stream's name. */
export const counterDocs = {
  "every reader of a stream": {
    "<STREAM>_messages": "Messages taken from the stream, those that came again too.",
    garbage: "Messages that were passed over and kept aside, because they were garbage or poison.",
  },
  bus: {
    "<STREAM>_stored_messages": "Messages the stream holds now.",
    "<STREAM>_stored_bytes": "Bytes the stream holds now.",
    "<STREAM>_pending": "Messages the stream's reader has not been given yet, now: its lag.",
    "<STREAM>_unacknowledged": "Messages the stream's reader has and did not acknowledge yet, now.",
    attaches: "Times a stage had its durable consumer made anew.",
    asks_refused: "Requests for a durable consumer that were no requests, or came from someone else.",
    heals: "Durable consumers made anew because they had stalled or were gone.",
    purged_messages: "Stored messages of DETECTIONS, the least severe first, given up to make room.",
    server_restarts: "Times nats-server ended by itself and was started again.",
  },
  collector: {
    batches_published: "Batches stored in RAW.",
    batches_pending: "Batches read from the ring buffer and not stored in RAW yet, now.",
    events_published: "Events stored in RAW.",
    ring_bytes: "The size of the ring buffer.",
    ring_used_bytes: "Bytes of the ring buffer that wait for the bus, now.",
  },
  metadata: {
    questions: "Questions for a container that were answered.",
    pods: "Pods of this node that Kubernetes told of, now.",
    pods_left_out: "Pods that could not be read, or were too many to keep.",
    pod_lists: "Lists of pods that were asked for.",
    pod_watches: "Watches of pods that were asked for.",
    pod_watch_events: "Changes of pods that came over a watch.",
    pod_watch_bookmarks: "Bookmarks that came over a watch: how far it is, though nothing changed.",
    pod_watches_expired: "Watches and lists that could not go on, because what changed since is not remembered (410).",
    pod_watches_broken: "Watches whose connection broke.",
    kubernetes_failures: "Questions that the API server or the kubelet did not answer as it should.",
    owners_asked: "Owners and namespaces of pods that were asked for.",
    owners_refused: "Those of them that are not there, that the sensor may not read, or that were too many.",
    containers: "Containers of which something is known, or was asked, now.",
    containers_forgotten: "Containers that were forgotten because too many were known.",
    containers_unanswered: "Containers that were asked for and of which no runtime has told anything yet, now.",
    looks: "Times runtimes were asked for a container.",
    notices: "Containers that runtimes spoke of by themselves.",
    notices_dropped: "Those of them that were passed over because too many came at once.",
    questions_refused: "Of these, those that were answered with BUSY because too many waited.",
  },
  enricher: {
    batches: "Batches taken in.",
    batches_repeated: "Batches that had been taken in before.",
    events_in: "Events taken in.",
    events_out: "Events put on EVENTS.",
    events_filtered: "Events that no reader of EVENTS is interested in.",
    events_tapped: "Of these, those that somebody who only listens wanted.",
    facts: "Events put on FACTS, wanted on EVENTS or not.",
    facts_late: "Of these, those put there once more when their file had been read.",
    outputs_split: "Outputs beyond one a batch, because one would have been too large for the bus.",
    ancestors_lost: "Ancestors left out because even a single event with all of them was too large.",
    ancestors_spliced: "Ended ancestors taken out of a line that was too long.",
    ranges_forgotten: "Ranges of positions forgotten because the set of what was processed was full.",
    processes: "Processes in the tree, now.",
    process_image_bytes: "Bytes the tree's processes take as messages, now.",
    processes_evicted: "Processes that had to leave the tree because it was full.",
    processes_evicted_running: "Those of them that still ran.",
    unknown_actors: "Events whose process was not in the tree.",
    header_only_processes: "Processes of which only an event's header was known when they were met.",
    exits_missed: "Processes that ended without an exit event.",
    names_of_addresses: "DNS answers about addresses that are kept, now: none while no rule asks for their names.",
    names_evicted: "Those of them that went before their time because there were too many.",
    batches_waited: "Batches that waited for what their events needed and was not known yet.",
    batches_waited_in_vain: "Those of them that went on without it, because it took too long.",
    containers: "Containers that are known, now.",
    container_questions: "Questions for a container that the stage metadata was asked.",
    containers_evicted: "Containers that were forgotten because there were too many.",
    containers_unreachable: "Questions for a container that the stage metadata did not answer.",
    containers_no_runtime: "Answers that no runtime of the container's kind was found.",
    containers_not_found: "Answers that no runtime knows the container.",
    containers_no_answer: "Answers that a runtime did not answer in time.",
    containers_busy: "Answers that too many questions were waiting.",
    containers_bad_request: "Answers that the question was none.",
    containers_no_pod: "Answers without the container's pod, which is not known yet.",
    user_files_read: "Times that a mount namespace's own passwd and group files were looked at.",
    user_files_unread: "Of these, those in vain: its process had ended, or its file system did not answer.",
    user_files_refused: "Looks at such files that were left out because too many waited.",
    user_files_evicted: "Mount namespaces whose users' names were forgotten because there were too many.",
    executables: "Executed and mapped files that are remembered, now.",
    executables_forgotten: "Such files that were forgotten because there were too many.",
    files_read: "Executed and mapped files whose digest was made.",
    file_bytes_read: "Bytes that were read for it.",
    files_too_large: "Files that were too large to be read (enricher.hash_file_bytes_max).",
    files_gone: "Files that could not be opened any more, since process and file were gone.",
    files_changed: "Files that were written to after the event, or while they were read.",
    files_unreadable: "Files that could not be opened or read.",
    files_refused: "Files that were left out because too many were waiting to be read.",
    files_unanswered: "Files on a file system that did not answer.",
    procfs_reads: "Processes that were looked up in /proc.",
    procfs_reads_refused: "Look-ups in /proc that were left out to spare the processor.",
  },
  "rule-engine": {
    batches: "Batches evaluated.",
    batches_repeated: "Batches that had been evaluated before or were being evaluated.",
    events: "Events evaluated.",
    matches: "Matches of a rule: suppressed, gone out as detections, folded, or handed to correlations.",
    matches_suppressed: "Matches that a suppression hid.",
    matches_folded: "Matches that were counted in a detection that had gone out.",
    detections: "Matches that went out as detections of their own.",
    revisions: "Detections that went out again with a higher count.",
    stories: "Detections in which repeats are counted, now.",
    repeats_untold: "Matches that are folded and that no revision has told yet, now.",
    stories_evicted: "Those of them that ended early because there were too many.",
    rules_reloaded: "Times changed rules took the place of those before.",
    rules_refused: "Times changed rules had a mistake, so that those before stayed in force.",
    ordered_detections: "Detections of correlations.",
    correlation_repeats: "Firings of correlations that only repeated a story that had been told.",
    correlation_groups: "Groups that correlations keep, now.",
    correlation_matches: "Matches that correlations keep, now.",
    correlation_given_up: "Groups, matches and evidence that correlations gave up because there were too many.",
    matches_left_out: "Matches of rules in correlations that were left out, since their event had too many.",
    ranges: "Ranges of positions evaluated, now: one, and one more for each gap.",
  },
  aggregator: {
    batches: "Batches of facts taken in.",
    facts: "Facts taken in, those told late once more.",
    messages_lost: "Messages of FACTS that had to make room before they were read.",
  },
  uplink: {
    detections_in: "Detections taken into the outbox.",
    detections_sent: "Detections the portal has acknowledged.",
    detections_refused: "Detections the portal will never take.",
    detections_evicted: "Detections deleted because the outbox was full.",
    detections_stale: "Detections deleted because they had waited too long.",
    health_issues_told: "Changes of health issues that the portal has stored.",
    health_issues_refused: "Changes of health issues that the portal will never take.",
    health_issues_dropped: "Health issues given up untold, because too many waited for the portal.",
    heartbeats_sent: "Heartbeats the portal has answered.",
    calls_failed: "Calls of the portal that failed.",
    outboxes_broken: "Outboxes that could not be read and were set aside.",
    outbox_detections: "Detections in the outbox, now.",
    outbox_bytes: "Bytes of the outbox, now.",
  },
} as const satisfies Partial<Record<StageName | "every reader of a stream", Docs>>;

/**
 * Facts that are no numbers. `<program>` stands for the name of each of the probe's programs, `<holder>` for a stage,
 * or for somebody who leases an interest.
 */
export const factDocs = {
  bus: {
    server_address: "Where nats-server listens.",
    server_binary: "The nats-server that runs.",
    server_pid: "Its process id.",
    server_version: "Its version.",
    disk_budget_bytes: "What the streams may take of the disk together.",
  },
  collector: {
    "attachment.<program>": "Where the kernel took the program, or `refused:` and the error's name.",
    "interest.<holder>": "The event types that a holder of interest wants, and of which not everything.",
    narrowed: "The event types of which the kernel sends only what some rule could match.",
    pinned: "The folder in which the probe is pinned, or `no:` and why.",
    ring: "How large the ring buffer is, and how long it holds what happens at the busiest time so far.",
    replay: "`finished` when all of a recording is stored in RAW.",
    source: "Boot id and epoch of the events: positions of one source are in one order.",
    stored: "The position up to which everything is stored in RAW.",
    watching_since:
      "When the programs were loaded; only told by a collector that found none to take over, so that nothing was " +
      "watched right before.",
    wanted: "The event types that the kernel sends; the others are only counted.",
  },
  metadata: {
    runtimes: "Where container runtimes were found.",
    kubernetes: "Who is asked for the pods of which node; not there without Kubernetes.",
  },
  enricher: { event_types: "The ids of the event types that the readers of EVENTS are interested in." },
  "rule-engine": {
    content_version: "The version of the rules in force, made of their files; detections carry it.",
    processed: "The ranges of positions that have been evaluated, as JSON, source by source.",
    rules: "How many rules are in force.",
    rule_paths: "The files and folders that rules are read from, a line each.",
  },
  uplink: { sensor_id: "The id by which the portal knows this sensor." },
} as const satisfies Partial<Record<StageName, Docs>>;

type Keys<T> = T extends T ? keyof T & string : never;
type Named<Name extends string> = Name extends `<STREAM>${infer Rest}`
  ? `${StreamName}${Rest}`
  : Name extends `${infer Begin}<${"program" | "holder"}>`
    ? `${Begin}${string}`
    : Name;

/** The names a stage may count by. */
export type CounterName = Named<Keys<(typeof counterDocs)[keyof typeof counterDocs]>>;
/** The names of facts. */
export type FactName = Named<Keys<(typeof factDocs)[keyof typeof factDocs]>>;
