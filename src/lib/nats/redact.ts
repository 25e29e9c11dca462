const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** Text from a server, on one line and without control characters, at most 500 characters of it. */
export const cleanText = (text: string): string => {
  const plain = text.replace(/\s+/g, ' ').replace(CONTROL, '').trim();
  return plain.length > 500 ? `${plain.slice(0, 500)}…` : plain;
};

/** A URL without its user and password. */
export const cleanUrl = (url: string): string => cleanText(url.replace(/^((?:[a-z]+:\/\/)?)[^/@]*@/i, '$1'));

/** Takes every secret out of a text. Secrets shorter than four characters would take ordinary words along. */
export function redact(text: string, secrets: readonly string[]): string {
  return secrets
    .filter((secret) => secret.length >= 4)
    .reduce((clean, secret) => clean.replaceAll(secret, '***'), cleanText(text));
}
