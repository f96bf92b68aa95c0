// The output file: detections appended as lines of JSON, on the disk before they leave the queue, rotated by size.
import { type FileHandle, mkdir, open, rename, rm, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { type JsonObject, toJson } from "@nightjar/formats";
import type { Detection } from "@nightjar/proto";
import { describeError, type Settings } from "@nightjar/stage";
import { SEND_DETECTIONS_MAX } from "../limits.ts";
import { type Output, OutputFailure } from "./output.ts";

/** The group may read, so that a collector of logs needs no more rights. */
const FILE_MODE = 0o640;
const FOLDER_MODE = 0o750;
const NEWLINE = 0x0a;

export function fileOutput(settings: Settings["outputs"], format: (detection: Detection) => JsonObject): Output {
  const { file_path: path, file_bytes_max: bytesMax, file_kept: kept } = settings;
  return {
    name: "file",
    target: path,
    format: settings.file_format,
    batchMax: SEND_DETECTIONS_MAX,
    parallelMax: 1,
    async send(detections) {
      const lines = Buffer.from(detections.map((one) => `${toJson(format(one))}\n`).join(""));
      try {
        await append(path, lines, { bytesMax, kept });
        return undefined;
      } catch (error) {
        if (error instanceof OutputFailure) throw error;
        throw new OutputFailure(`${path} cannot be written: ${describeError(error)}`, { cause: error });
      }
    },
  };
}

/** Opened for each batch, so that who moves the file away (logrotate) finds a new one in its place. */
async function append(path: string, lines: Buffer, limit: { bytesMax: number; kept: number }): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: FOLDER_MODE });
  const before = await sizeOf(path);
  if (before > 0 && before + lines.length > limit.bytesMax) await rotate(path, limit.kept);
  const file = await openRegular(path);
  try {
    const { size } = await file.stat();
    try {
      // A crash may have cut the last line short; it was not acknowledged, and comes again as a whole.
      if (await isCutShort(file, size)) await file.appendFile("\n");
      await file.appendFile(lines);
      await file.datasync();
    } catch (error) {
      // A full disk: what there was room for is taken back.
      await file.truncate(size);
      throw error;
    }
  } finally {
    await file.close();
  }
}

async function sizeOf(path: string): Promise<number> {
  try {
    return (await stat(path)).size;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return 0;
    throw error;
  }
}

async function openRegular(path: string): Promise<FileHandle> {
  const file = await open(path, "a+", FILE_MODE);
  if ((await file.stat()).isFile()) return file;
  await file.close();
  throw new OutputFailure(`${path} is no regular file`);
}

async function isCutShort(file: FileHandle, size: number): Promise<boolean> {
  if (size === 0) return false;
  const { buffer } = await file.read(Buffer.alloc(1), 0, 1, size - 1);
  return buffer[0] !== NEWLINE;
}

/** `<path>` becomes `<path>.1`, that `.2`, and so on; what is beyond `kept` goes. */
async function rotate(path: string, kept: number): Promise<void> {
  if (kept === 0) return rm(path);
  for (let number = kept - 1; number >= 1; number--) {
    await rename(`${path}.${number}`, `${path}.${number + 1}`).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT") throw error;
    });
  }
  await rename(path, `${path}.1`);
}
