// Every reason for which the portal cannot start or store, and what a person can do about it.

export const portalErrorCodes = {
  PORTAL_ALREADY_RUNNING: "Another portal works on this state folder. Stop it, or take another state folder.",
  PORTAL_LOCK_FAILED:
    "The portal's folder could not be locked: the program flock (util-linux) is missing or the folder refuses.",
  PORTAL_DISK_FULL: "The disk of the state folder has too little room for the portal's store. Make room.",
  PORTAL_CERTIFICATE: "The portal's certificate or its key cannot be used. Give PEM files of a pair that is valid.",
  PORTAL_DATABASE: "The portal's database cannot be used. See what it says, and portal.database_url.",
} as const;

export type PortalErrorCode = keyof typeof portalErrorCodes;

/** Something only a person can change; with PORTAL_DISK_FULL the sensors keep what they have until it is. */
export class PortalError extends Error {
  readonly code: PortalErrorCode;

  constructor(code: PortalErrorCode, detail: string) {
    super(`${code}: ${detail}. ${portalErrorCodes[code]}`);
    this.name = "PortalError";
    this.code = code;
  }
}
