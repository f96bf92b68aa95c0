// What this stage asks of a container runtime: one file each in runtimes/, which is a table of them.
import type { Container } from "@nightjar/proto";

export interface ContainerQuery {
  /** The full id, as the container's cgroup or machine is called. */
  id: string;
  /** A value of Container.runtime, as its cgroup's shape has it; empty where several runtimes give it. */
  runtime: string;
  /** The uid of its pod, as its cgroup names it; empty where that names none. */
  podUid: string;
  /** A process in it; 0 where none is known. */
  pid: number;
}

/** A runtime at one place of this host: a socket, or a folder it writes. */
export interface Runtime {
  /**
   * What it knows of a container; undefined when it has none of that id. Rejects when it does not answer, refuses, or
   * says what cannot be understood.
   */
  inspect(query: ContainerQuery, signal: AbortSignal): Promise<Container | undefined>;
  /**
   * Tells full ids of containers that were just made, started, renamed or removed, until `signal` is aborted. Resolves
   * when the runtime ends it; rejects as `inspect` does. Left out where the runtime tells nothing by itself.
   */
  watch?(changed: (id: string) => void, signal: AbortSignal): Promise<void>;
  /** Lets go of its connections. */
  close?(): void;
}

export interface RuntimeOptions {
  /** Whether containers' environment variables are told. */
  environment: boolean;
}

/** A row of the table of runtimes. */
export interface RuntimeKind {
  /** As the setting `metadata.sockets` and messages call it. */
  readonly name: string;
  /** Of which values of Container.runtime it may know containers. */
  readonly serves: readonly string[];
  /**
   * It tells less than those that answer by themselves, and counts where none of them knows the container: what they
   * keep on disk.
   */
  readonly standsIn?: boolean;
  /** Its usual sockets or folders, there or not. */
  places(): string[];
  /** Connects when it is asked something, not before. */
  open(place: string, options: RuntimeOptions): Runtime;
}
