// Which answers are worth another question by itself, and when. Pure.

const SOONEST_MS = 2000;
const LATEST_MS = 15_000;

/** How long to wait before what was refused is asked again, in milliseconds; undefined where the answer would be the same. */
export function againIn(
  { status, code }: { readonly status: number; readonly code: string },
  tries: number,
): number | undefined {
  // 0: nobody answered; 429 and 5xx: not now. A refusal of the server's own has many reasons, of which some pass.
  const mayPass = status === 0 || status === 429 || status === 503 || code === 'SERVER_REFUSED';
  return mayPass ? Math.min(LATEST_MS, SOONEST_MS * 2 ** tries) : undefined;
}
