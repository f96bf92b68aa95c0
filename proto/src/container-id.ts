// How the id of a container is shown.

const SHORT_ID_CHARACTERS = 12;

/** A container's id as tools show it: the first 12 digits of one of 64, a name as it is. */
export function shortContainerId(fullId: string): string {
  return /^[0-9a-f]{64}$/.test(fullId) ? fullId.slice(0, SHORT_ID_CHARACTERS) : fullId;
}
