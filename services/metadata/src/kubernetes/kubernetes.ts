// The pods of this node as a source of what this stage answers: from the API server's watch, or from the kubelet.
import { type Container, PodOrigin } from "@nightjar/proto";
import { Backoff, describeError, type HealthCodeName, pause, type Settings } from "@nightjar/stage";
import { type Json, textAt } from "../formats/json.ts";
import type { PodAnswer, PodSource } from "../pods.ts";
import type { ContainerQuery } from "../runtime.ts";
import { ApiServer, StatusError } from "./api-server.ts";
import { nodeName, type Place } from "./connect.ts";
import { Kubelet } from "./kubelet.ts";
import { OBJECT_KEPT_MS, Objects } from "./objects.ts";
import { readPod } from "./pod.ts";
import { PodTable } from "./pod-table.ts";
import { Reflector } from "./reflector.ts";

const RETRY = { baseMs: 1_000, maxMs: 30_000, jitter: 1, fastWindowMs: Number.POSITIVE_INFINITY, slowIntervalMs: 0 };
const MS_PER_S = 1_000;

/** The server said who it is not talking to: trying again is of no use until a person changes something. */
const REFUSED = [401, 403];

export interface KubernetesOptions {
  place: Place;
  settings: Settings["metadata"];
  /** Of these containers something else is known now. */
  changed: (containerIds: readonly string[]) => void;
  health: { raise(code: HealthCodeName, message: string): void; resolve(code: HealthCodeName): void };
  retry?: Partial<typeof RETRY>;
  random?: () => number;
  clock?: () => number;
}

export class Kubernetes implements PodSource {
  readonly #options: KubernetesOptions;
  readonly #random: () => number;
  readonly #node: string;
  readonly #table: PodTable;
  readonly #objects: Objects | undefined;
  readonly #source: Reflector | Kubelet;
  readonly #unreadable = { pods: 0 };
  /** Why pods may be missing now, for a person; undefined while all is well. */
  #trouble: string | undefined = "the list of pods is not there yet";
  #listed = false;

  constructor(options: KubernetesOptions) {
    const { place, settings, clock = () => performance.now(), random = Math.random } = options;
    this.#options = options;
    this.#random = random;
    this.#node = nodeName(settings);
    const server = new ApiServer(() => place.load());
    const backoff = () => new Backoff({ ...RETRY, ...options.retry }, clock, random);
    const feed = {
      server,
      replace: (objects: readonly unknown[]) => this.#replace(objects),
      reached: () => this.#reached(),
      failed: (error: unknown) => this.#failed(error),
      backoff: backoff(),
      clock,
    };
    const changed = (path: string) => this.#table.refresh(path);
    if (place.kind === "kubelet") {
      this.#source = new Kubelet({ ...feed, intervalMs: settings.kubelet_interval_s * MS_PER_S });
    } else {
      this.#objects = new Objects({ server, changed, backoff: backoff(), clock });
      this.#source = new Reflector({
        ...feed,
        path: "/api/v1/pods",
        fieldSelector: `spec.nodeName=${this.#node}`,
        put: (object) => this.#put(object),
        remove: (object) => this.#table.remove(textAt(object, "metadata", "uid")),
        random,
      });
    }
    this.#table = new PodTable({
      find: this.#objects?.find ?? (() => null),
      namespaces: settings.kubernetes_namespaces,
      changed: options.changed,
      clock,
    });
  }

  /** What is counted, by the names of the stage's counters. */
  get counts() {
    const { counts } = this.#source;
    return {
      pods: this.#table.size,
      pods_left_out: this.#table.counts.tooMany + this.#unreadable.pods,
      pod_lists: counts.lists,
      pod_watches: "watches" in counts ? counts.watches : 0,
      pod_watch_events: "events" in counts ? counts.events : 0,
      pod_watch_bookmarks: "bookmarks" in counts ? counts.bookmarks : 0,
      pod_watches_expired: "expired" in counts ? counts.expired : 0,
      pod_watches_broken: "broken" in counts ? counts.broken : 0,
      kubernetes_failures: counts.failures + (this.#objects?.counts.failures ?? 0),
      owners_asked: this.#objects?.counts.asked ?? 0,
      owners_refused: (this.#objects?.counts.refused ?? 0) + (this.#objects?.counts.tooMany ?? 0),
    };
  }

  /** Runs until `signal` is aborted; the first question waits for a random part of the delay that is set. */
  async run(signal: AbortSignal): Promise<void> {
    await pause(this.#options.settings.kubernetes_first_list_delay_s * MS_PER_S * this.#random(), signal);
    const refresh = setInterval(() => this.#objects?.refresh(), OBJECT_KEPT_MS);
    await Promise.all([this.#source.run(signal), this.#objects?.run(signal)]);
    clearInterval(refresh);
  }

  async find({ id, podUid }: ContainerQuery, container: Container): Promise<PodAnswer> {
    const uid = podUid || (container.pod?.uid ?? "");
    const pod = this.#table.find(id, uid);
    if (pod) return { is: "pod", pod };
    if (uid === "") return { is: "none" };
    if (this.#source instanceof Kubelet) this.#source.hurry();
    return { is: "missing", why: this.#trouble ?? `${this.#options.place.name} has told of no pod ${uid}` };
  }

  #put(object: Json): void {
    const reading = readPod(object, PodOrigin.API_SERVER);
    if (reading) this.#table.put(reading);
    else this.#unreadable.pods++;
  }

  #replace(objects: readonly unknown[]): void {
    const { place, health } = this.#options;
    const origin = place.kind === "kubelet" ? PodOrigin.KUBELET : PodOrigin.API_SERVER;
    const readings = objects.flatMap((object) => readPod(object, origin) ?? []);
    this.#unreadable.pods += objects.length - readings.length;
    this.#table.replace(readings);
    this.#listed = true;
    if (readings.length > 0) health.resolve("KUBERNETES_NO_PODS");
    else {
      const message = `${place.name} knows no pod on the node "${this.#node}": is that its name?`;
      health.raise("KUBERNETES_NO_PODS", `${message} (metadata.kubernetes_node)`);
    }
  }

  #reached(): void {
    this.#trouble = undefined;
    for (const code of ["KUBERNETES_UNREACHABLE", "KUBERNETES_REFUSED"] as const) this.#options.health.resolve(code);
  }

  #failed(error: unknown): void {
    const { place, health } = this.#options;
    const refused = error instanceof StatusError && REFUSED.includes(error.status);
    const how = refused ? "does not let the sensor list pods" : "does not answer as it should";
    this.#trouble = `${place.name} ${how}: ${describeError(error)}`;
    const missing = this.#listed ? "What changed since then" : "All that only Kubernetes knows of pods";
    health.raise(
      refused ? "KUBERNETES_REFUSED" : "KUBERNETES_UNREACHABLE",
      `${this.#trouble}. ${missing} is missing: labels, owners, service accounts, security contexts.`,
    );
  }
}
