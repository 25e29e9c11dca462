/** A server version as `[major, minor, patch]`. */
export type Version = readonly [number, number, number];

/** Reads `2.15.1`, `v2.12`, `2.11.0-RC.2`; anything unreadable counts as the oldest. */
export function parseVersion(text: string): Version {
  const match = /^v?(\d+)\.(\d+)(?:\.(\d+))?/.exec(text.trim());
  return match ? [Number(match[1]), Number(match[2]), Number(match[3] ?? 0)] : [0, 0, 0];
}

/** True where `version` is `least` or newer. */
export function atLeast(version: string, least: string): boolean {
  const [a, b] = [parseVersion(version), parseVersion(least)];
  for (let part = 0; part < 3; part++) if (a[part] !== b[part]) return a[part]! > b[part]!;
  return true;
}

/** The oldest server whose metadata and consumer API this design rests on. */
export const OLDEST_SERVER = '2.10.0';
