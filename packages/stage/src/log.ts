// The log: JSON lines on standard error and in a size-limited file, in the form the runbooks grep for.
import { dirname } from "node:path";
import { type Redactor, redactValue } from "@nightjar/redact";
import winston from "winston";
import { type Disk, isDiskFull, readDisk } from "./disk.ts";

const LOG_FILE_BYTES_MAX = 10 * 1024 * 1024;
const LOG_FILES_MAX = 3;
const FILE_RETRY_MS = 60_000;
const CAUSES_MAX = 8;
/** How often the log file's disk is looked at. */
const DISK_LOOK_MS = 10_000;

export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Writes `{"timestamp":…,"level":…,"target":…,"fields":{"message":…}}`. An Error among the fields is told with its
 * causes.
 * Secrets in messages and fields are redacted.
 */
export interface Logger {
  error(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  /** Resolves when what was logged has been written. */
  close(): Promise<void>;
}

export interface LoggerOptions {
  target: string;
  level: string;
  redactor: Redactor;
  file?: string;
  stderr?: boolean;
  /** The file's disk, and how often it is looked at; tests have another. */
  disk?: { read: () => Disk; lookMs: number };
}

/** A logger for `target`; `file` may be left out. A file that cannot be written is given up, standard error goes on. */
export function createLogger(options: LoggerOptions): Logger {
  const line = winston.format.printf(({ level, message, fields }) =>
    JSON.stringify({
      timestamp: new Date().toISOString(),
      level: level.toUpperCase(),
      target: options.target,
      fields: redactValue(options.redactor, { message, ...plain(fields as LogFields | undefined) }),
    }),
  );
  const logger = winston.createLogger({ level: options.level, format: line });
  if (options.stderr !== false) {
    logger.add(
      new winston.transports.Console({ stderrLevels: ["error", "warn", "info", "debug"], forceConsole: false }),
    );
  }
  if (options.file) addFile(logger, options.file, options.disk ?? diskOf(options.file));
  else if (options.stderr === false) logger.silent = true;
  const write = (level: string) => (message: string, fields?: LogFields) => void logger.log(level, message, { fields });
  return {
    error: write("error"),
    warn: write("warn"),
    info: write("info"),
    debug: write("debug"),
    close: () =>
      new Promise((resolve) => {
        logger.once("finish", resolve);
        logger.end();
      }),
  };
}

function diskOf(file: string): NonNullable<LoggerOptions["disk"]> {
  return { read: () => readDisk(dirname(file)), lookMs: DISK_LOOK_MS };
}

/** A file that cannot be written is left out and tried again later: a full disk must not end the stage, nor its log. */
function addFile(logger: winston.Logger, filename: string, disk: NonNullable<LoggerOptions["disk"]>): void {
  const giveUp = (error: unknown) => {
    // Without a transport winston would complain on standard error, once a line.
    logger.silent = logger.transports.length === 0;
    logger.warn("the log file cannot be written", { fields: { error } });
    setTimeout(() => addFile(logger, filename, disk), FILE_RETRY_MS).unref();
  };
  try {
    const file = new winston.transports.File({
      filename,
      maxsize: LOG_FILE_BYTES_MAX,
      maxFiles: LOG_FILES_MAX,
      tailable: true,
    });
    const stopLooking = spareDisk(logger, file, disk);
    file.once("error", (error) => {
      stopLooking();
      logger.remove(file);
      giveUp(error);
    });
    logger.add(file);
    logger.silent = false;
  } catch (error) {
    giveUp(error);
  }
}

/** While the disk is nearly full nothing is written to the file: standard error, and so the journal, goes on. */
function spareDisk(
  logger: winston.Logger,
  file: winston.transports.FileTransportInstance,
  { read, lookMs }: NonNullable<LoggerOptions["disk"]>,
): () => void {
  const look = () => {
    try {
      const isFull = isDiskFull(read(), file.silent === true);
      if (isFull === (file.silent === true)) return;
      if (isFull)
        logger.error("the disk is nearly full: the log file is not written", { fields: { code: "DISK_FULL" } });
      file.silent = isFull;
      if (!isFull) logger.info("the log file is written again");
    } catch {
      // Its folder is not there yet, or not any more: writing to it tells.
    }
  };
  const timer = setInterval(look, lookMs).unref();
  return () => clearInterval(timer);
}

function plain(fields: LogFields = {}): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields).map(([key, value]) => {
      if (value instanceof Error) return [key, describeError(value)];
      return [key, typeof value === "bigint" ? value.toString() : value];
    }),
  );
}

/** An error's message and those of its causes, each once. */
export function describeError(error: unknown): string {
  const parts: string[] = [];
  for (let one: unknown = error; one !== undefined && one !== null && parts.length < CAUSES_MAX; ) {
    const text = one instanceof Error ? one.message || one.name : String(one);
    if (!parts.includes(text)) parts.push(text);
    one = one instanceof Error ? one.cause : undefined;
  }
  return parts.join(": ");
}
