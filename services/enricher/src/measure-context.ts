// The context of a measurement: the stage's own sources, where what others would find out is known at once.
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import {
  ContainerRequestSchema,
  ContainerResponseSchema,
  ElfFileSchema,
  ExecutableSchema,
  Ownership,
  PackageSchema,
} from "@nightjar/proto";
import { ContainerSource } from "./context/containers.ts";
import { Row } from "./context/row.ts";
import type { Context, FileSource, SourceHealth } from "./context/source.ts";
import { libraryKey, programKey } from "./executables/named-file.ts";

/** Metadata knows every container, and files are known from the first time they are asked for. */
export function measuredContext(): Context {
  return { containers: new ContainerSource(answer), executables: new KnownFiles() };
}

async function answer(bytes: Uint8Array): Promise<Uint8Array> {
  const { id, runtime } = fromBinary(ContainerRequestSchema, bytes);
  const [image, labels] = ["registry.example/team/service:1.27.3", { "com.example.team": "payments" }];
  const container = { fullId: id, runtime, name: `service-${id.slice(0, 4)}`, image, labels };
  return toBinary(ContainerResponseSchema, create(ContainerResponseSchema, { container }));
}

/** As Executables once it has read them: the keys and the rows are the same, no thread and no file is needed. */
class KnownFiles implements FileSource {
  readonly keyOf = programKey;
  readonly keyOfLibrary = libraryKey;
  readonly #rows = new Map<string, Row>();

  lookup(key: string): Row | undefined {
    return this.#rows.get(key);
  }

  async ask(key: string): Promise<void> {
    const sha256 = new Uint8Array(32).fill(this.#rows.size % 256);
    const interpreter = new TextEncoder().encode("/lib64/ld-linux-x86-64.so.2");
    const elf = create(ElfFileSchema, { interpreter, buildId: sha256.slice(0, 20) });
    const owner = create(PackageSchema, { manager: "dpkg", name: "coreutils", version: "9.7-3" });
    const facts = { sha256, sizeBytes: 150_000n, elf, package: owner, ownership: Ownership.PACKAGE };
    this.#rows.set(key, new Row(toBinary(ExecutableSchema, create(ExecutableSchema, facts))));
  }

  health(): SourceHealth {
    return { counts: {}, problems: [] };
  }
}
