// What makes a program or a mapped file the one that it is, read from encoded rows: the same text for the same one.
import { type BatchReader, FieldCursor, WIRE_BYTES, WIRE_VARINT } from "@nightjar/events";
import { ContainerSchema, ExecSchema, ExecutableSchema, LibrarySchema, ProcessSchema } from "@nightjar/proto";

const PROCESS = ProcessSchema.field;
const EXEC = ExecSchema.field;
const CONTAINER = ContainerSchema.field;
const LIBRARY = LibrarySchema.field;

/** The fields whose bytes, as they stand in the message, tell one program from another. */
const OF_PROCESS: ReadonlySet<number> = new Set([PROCESS.uid.number, PROCESS.unit.number]);
const OF_EXEC: ReadonlySet<number> = new Set([
  EXEC.executable.number,
  EXEC.modifiedTimeNs.number,
  EXEC.loginUid.number,
  EXEC.auditSessionId.number,
  EXEC.ttyName.number,
  EXEC.upperLayer.number,
  EXEC.unlinked.number,
]);
/** Of a script also what it was asked for by. */
const OF_SCRIPT: ReadonlySet<number> = new Set([EXEC.filename.number, EXEC.workingDirectory.number]);
const OF_LIBRARY: ReadonlySet<number> = new Set([
  LIBRARY.path.number,
  LIBRARY.modifiedTimeNs.number,
  LIBRARY.upperLayer.number,
  LIBRARY.unlinked.number,
]);
const OF_CONTAINER: ReadonlySet<number> = new Set([
  CONTAINER.fullId.number,
  CONTAINER.imageId.number,
  CONTAINER.missing.number,
]);
const OF_EXECUTABLE: ReadonlySet<number> = new Set([
  ExecutableSchema.field.gap.number,
  ExecutableSchema.field.ownership.number,
]);

/** Reads the keys of a batch's rows; each row of containers and executables once. */
export class RowKeys {
  readonly #batch: BatchReader;
  readonly #text: Buffer;
  readonly #cursor = new FieldCursor();
  readonly #inner = new FieldCursor();
  readonly #containers = new Map<number, string>();
  readonly #executables = new Map<number, string>();

  constructor(batch: BatchReader) {
    this.#batch = batch;
    const { buffer, byteOffset, length } = batch.bytes;
    this.#text = Buffer.from(buffer, byteOffset, length);
  }

  /** "" where nothing is known of what the process executes. */
  of(row: number): string {
    const { processBounds: bounds, bytes } = this.#batch;
    const [start, end] = [bounds[2 * row], bounds[2 * row + 1]];
    if (start === undefined || end === undefined) return "";
    let key = "";
    let image = "";
    let container = 0;
    let executable = 0;
    const cursor = this.#cursor.enter(bytes, start, end);
    while (cursor.next()) {
      const { number, wireType } = cursor;
      if (number === PROCESS.image.number && wireType === WIRE_BYTES) image = this.#imageKey(cursor.start, cursor.end);
      else if (OF_PROCESS.has(number)) key += this.#field(cursor);
      else if (wireType !== WIRE_VARINT) continue;
      else if (number === PROCESS.container.number) container = cursor.uint();
      else if (number === PROCESS.executable.number) executable = cursor.uint();
    }
    if (image === "") return "";
    return key + image + this.#containerKey(container - 1) + this.#executableKey(executable - 1);
  }

  /** The same of the file that a process in a row mapped, from an encoded Library in bytes[start, end). */
  ofFile(start: number, end: number, actor: number, executable: number): string {
    let key = this.#containerOf(actor) + this.#executableKey(executable);
    const cursor = this.#cursor.enter(this.#batch.bytes, start, end);
    while (cursor.next()) if (OF_LIBRARY.has(cursor.number)) key += this.#field(cursor);
    return key;
  }

  #containerOf(row: number): string {
    const { processBounds: bounds, bytes } = this.#batch;
    let container = 0;
    const cursor = this.#cursor.enter(bytes, bounds[2 * row] ?? 0, bounds[2 * row + 1] ?? 0);
    while (cursor.next())
      if (cursor.number === PROCESS.container.number && cursor.wireType === WIRE_VARINT) container = cursor.uint();
    return this.#containerKey(container - 1);
  }

  #imageKey(start: number, end: number): string {
    let key = "";
    let script = "";
    let isScript = false;
    const cursor = this.#inner.enter(this.#batch.bytes, start, end);
    while (cursor.next()) {
      const { number } = cursor;
      if (OF_EXEC.has(number)) key += this.#field(cursor);
      else if (OF_SCRIPT.has(number)) script += this.#field(cursor);
      else if (number === EXEC.interpreted.number) isScript = true;
    }
    return isScript ? key + script : key;
  }

  #containerKey(row: number): string {
    return this.#rowKey(row, this.#containers, this.#batch.containerBounds, OF_CONTAINER);
  }

  #executableKey(row: number): string {
    return this.#rowKey(row, this.#executables, this.#batch.executableBounds, OF_EXECUTABLE);
  }

  #rowKey(row: number, known: Map<number, string>, bounds: readonly number[], fields: ReadonlySet<number>): string {
    if (row < 0) return "";
    let key = known.get(row);
    if (key !== undefined) return key;
    key = "|";
    const cursor = this.#inner.enter(this.#batch.bytes, bounds[2 * row] ?? 0, bounds[2 * row + 1] ?? 0);
    while (cursor.next()) if (fields.has(cursor.number)) key += this.#field(cursor);
    known.set(row, key);
    return key;
  }

  /** With its tag, so that no two fields can be taken for one another. */
  #field({ fieldStart, end }: FieldCursor): string {
    return this.#text.toString("latin1", fieldStart, end);
  }
}
