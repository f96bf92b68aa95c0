// runc and crun by themselves, and below every engine that starts them: the folder in which they keep the state of what
// runs, and the bundle it names. Needs nobody who answers.
import { statSync } from "node:fs";
import { join } from "node:path";
import { create } from "@bufbuild/protobuf";
import { type Container, ContainerSchema } from "@nightjar/proto";
import { mapAt, parseJson, textAt, textsAt } from "../formats/json.ts";
import { findMaking } from "../formats/oci-process.ts";
import { readSpec } from "../formats/oci-spec.ts";
import { timeNs } from "../formats/time.ts";
import { ofUsers } from "../places.ts";
import type { ContainerQuery, Runtime, RuntimeKind, RuntimeOptions } from "../runtime.ts";
import { isFileName, readSmall } from "../small-file.ts";
import { watchFolder } from "../watch-folder.ts";

/** containerd has one of these for each of its namespaces. */
const CONTAINERD_FOLDER = "/run/containerd/runc";

export const ociState: RuntimeKind = {
  name: "oci",
  serves: ["runc", "crun", "docker", "podman", "containerd", "cri-o"],
  standsIn: true,
  places: () => [
    "/run/runc",
    "/run/crun",
    "/run/docker/runtime-runc/moby",
    ...["k8s.io", "default", "moby"].map((namespace) => join(CONTAINERD_FOLDER, namespace)),
    ...ofUsers("runc"),
    ...ofUsers("crun"),
  ],
  open: (folder, options) => new OciState(folder, options),
};

interface State {
  runtime: string;
  bundle: string;
  created: string;
}

/** The file of each runtime's state, and what it says: the first that is there counts. */
const STATES: readonly (readonly [file: string, runtime: string, bundleOf: (state: unknown) => string])[] = [
  ["state.json", "runc", (state) => labelOf(textsAt(state, "config", "labels"), "bundle")],
  ["status", "crun", (state) => textAt(state, "bundle")],
];

class OciState implements Runtime {
  readonly #folder: string;
  readonly #options: RuntimeOptions;

  constructor(folder: string, options: RuntimeOptions) {
    this.#folder = folder;
    this.#options = options;
  }

  async inspect({ id }: ContainerQuery): Promise<Container | undefined> {
    if (!isFileName(id)) return undefined;
    const state = this.#state(id);
    if (!state) return undefined;
    // crun copies the specification beside its state; the bundle's may have been written over since.
    const spec = readJson(join(this.#folder, id, "config.json")) ?? readJson(join(state.bundle, "config.json"));
    return readBundle(id, state, spec, this.#options);
  }

  watch(changed: (id: string) => void, signal: AbortSignal): Promise<void> {
    return watchFolder(this.#folder, changed, signal);
  }

  #state(id: string): State | undefined {
    for (const [file, runtime, bundleOf] of STATES) {
      const state = readJson(join(this.#folder, id, file));
      if (state !== undefined) return { runtime, bundle: bundleOf(state), created: textAt(state, "created") };
    }
    // Its folder is there before its state: whoever makes it has been told of the bundle.
    const uid = statSync(join(this.#folder, id), { throwIfNoEntry: false })?.uid;
    const making = uid === undefined ? undefined : findMaking(id, uid);
    return making && { ...making, created: "" };
  }
}

/** Turns a runtime's state and the specification it was started with into a Container. */
export function readBundle(id: string, state: State, spec: unknown, options: RuntimeOptions): Container {
  const container = readSpec(spec, options);
  return create(ContainerSchema, {
    ...container,
    name: container.name || id,
    runtime: state.runtime,
    labels: mapAt(spec, "annotations"),
    createdTimeNs: timeNs(state.created),
  });
}

function labelOf(labels: readonly string[], name: string): string {
  return labels.find((one) => one.startsWith(`${name}=`))?.slice(name.length + 1) ?? "";
}

/** Undefined where the file is not there, or half written. */
function readJson(file: string): unknown {
  const text = readSmall(file);
  return text === undefined ? undefined : parseJson(text);
}
