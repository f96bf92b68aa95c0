// Content as a whole: its store, and what the portal serves of it.
import { ContentService } from "@nightjar/proto";
import type { Clock } from "../clock.ts";
import type { Database } from "../database.ts";
import type { HttpRoute } from "../http-routes.ts";
import type { StoreFailure } from "../sensor-service.ts";
import { type Registration, registration } from "../server.ts";
import { partsRoute } from "./parts-route.ts";
import { contentCallers, contentService } from "./service.ts";
import { ContentStore } from "./store.ts";

export interface ContentOptions {
  database: Database;
  /** Throws when there is no room to write. */
  room: () => void;
  clock: Clock;
  failed: StoreFailure;
}

export interface Content {
  service: Registration;
  route: HttpRoute;
  /** Forgets what no sensor is given any more; called now and then. */
  sweep: () => Promise<void>;
}

export function openContent({ database, room, clock, failed }: ContentOptions): Content {
  const store = new ContentStore(database, room);
  return {
    service: registration(ContentService, contentService(store, clock, failed), contentCallers),
    route: partsRoute(store),
    sweep: () => store.sweep(clock()),
  };
}
