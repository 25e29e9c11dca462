const UTC = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.(\d{1,9}))?Z$/;

/** True for an RFC 3339 time that JavaScript can read as well. */
export const isTime = (text: unknown): text is string =>
  typeof text === 'string' && text.length <= 40 && /^\d{4}-\d\d-\d\dT/.test(text) && !Number.isNaN(Date.parse(text));

/** Orders two RFC 3339 times to the nanosecond; those with an offset to the millisecond. */
export function compareTimes(a: string, b: string): number {
  if (!UTC.test(a) || !UTC.test(b)) return Date.parse(a) - Date.parse(b);
  if (a.length === b.length) return a < b ? -1 : a > b ? 1 : 0;
  const [x, y] = [a.slice(0, 19), b.slice(0, 19)];
  if (x !== y) return x < y ? -1 : 1;
  const [p, q] = [a.slice(20, -1).padEnd(9, '0'), b.slice(20, -1).padEnd(9, '0')];
  return p === q ? 0 : p < q ? -1 : 1;
}

/** Whether two times can be one, written to fewer digits by one of them. */
export function agree(a: string, b: string): boolean {
  const [x, y] = [UTC.exec(a), UTC.exec(b)];
  if (!x || !y) return Date.parse(a) === Date.parse(b);
  const digits = Math.min(x[1]?.length ?? 0, y[1]?.length ?? 0);
  return a.slice(0, 19) === b.slice(0, 19) && (x[1] ?? '').slice(0, digits) === (y[1] ?? '').slice(0, digits);
}
