import { conceal } from '../errors/conceal.ts';

const CONTROL = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]/g;

/** Text from a server, on one line, without control characters and without secrets, at most 500 characters of it. */
export const cleanText = (text: string): string => {
  const plain = conceal(text.replace(/\s+/g, ' ').replace(CONTROL, '').trim());
  return plain.length > 500 ? `${plain.slice(0, 500)}…` : plain;
};
