// The engine version that rules may ask for: Falco's, since it is Falco's language that is spoken.

/** Falco 0.44's. */
const ENGINE_VERSION = [0, 63, 0] as const;

export function engineVersion(): string {
  return ENGINE_VERSION.join(".");
}

/** Whether a text is a version: "x.y.z", or an integer N, which stands for 0.N.0. */
export function isVersion(text: string): boolean {
  return /^\d{1,10}(\.\d{1,10}\.\d{1,10}(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?)?$/.test(text);
}

/** Whether rules that ask for this version can be used: the major version is the same, the rest is not above ours. */
export function satisfies(text: string): boolean {
  const numbers = (/^\d+$/.test(text) ? `0.${text}.0` : text).split(/[.+-]/).slice(0, 3).map(Number);
  const [major = 0, minor = 0, patch = 0] = numbers;
  const [ourMajor, ourMinor, ourPatch] = ENGINE_VERSION;
  return major === ourMajor && (minor < ourMinor || (minor === ourMinor && patch <= ourPatch));
}
