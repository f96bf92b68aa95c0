// What the store needs of a database that speaks PostgreSQL's SQL: PGlite here, a server in a fleet.

export type Row = Record<string, unknown>;

export interface Queries {
  /** One statement with $1, $2, …; its rows. */
  query<T extends Row>(sql: string, values?: readonly unknown[]): Promise<T[]>;
}

export interface Database extends Queries {
  /** Other portals have it too, and it goes on without us: that it does not answer now is no reason to end. */
  readonly isShared: boolean;
  /** All or nothing; what is answered is on the disk. A throw rolls back. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /**
   * Calls back when any portal says NOTIFY on `channel`, and when something may have been said that was not heard.
   * Resolves when it listens.
   */
  listen(channel: string, heard: () => void): Promise<void>;
  /** Housekeeping that the database does not do by itself; called now and then. */
  maintain(): Promise<void>;
  /** Frees the space of deleted and changed rows. */
  vacuum(table: "detections" | "indicators" | "content_pieces" | "advisories" | "findings"): Promise<void>;
  close(): Promise<void>;
}
