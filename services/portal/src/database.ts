// What the store needs of a database that speaks PostgreSQL's SQL: PGlite here, a server in a fleet.

export type Row = Record<string, unknown>;

export interface Queries {
  /** One statement with $1, $2, …; its rows. */
  query<T extends Row>(sql: string, values?: readonly unknown[]): Promise<T[]>;
}

export interface Database extends Queries {
  /** All or nothing; what is answered is on the disk. A throw rolls back. */
  transaction<T>(work: (queries: Queries) => Promise<T>): Promise<T>;
  /** Housekeeping that the database does not do by itself; called now and then. */
  maintain(): Promise<void>;
  /** Frees the space of deleted rows. */
  vacuum(): Promise<void>;
  close(): Promise<void>;
}
