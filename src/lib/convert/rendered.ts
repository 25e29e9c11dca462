import type { Config } from '../model/json.ts';
import type { ResourceKind } from '../model/resource.ts';
import type { Outgoing } from './write-fields.ts';

/** Resources in another tool's words. */
export interface Rendered {
  readonly text: string;
  readonly values: readonly Config[];
  /** What the tool has no word for. */
  readonly leftOut: readonly { readonly resource: Outgoing; readonly what: string }[];
}

/** Gives each resource of a kind a label of its own, spelt as the tool allows it. */
export function labelsOf(spell: (text: string) => string): (kind: ResourceKind, text: string) => string {
  const taken = new Set<string>();
  return (kind, text) => {
    const wanted = spell(text) || kind;
    let label = wanted;
    for (let n = 2; taken.has(`${kind} ${label}`); n++) label = `${wanted}-${n}`;
    taken.add(`${kind} ${label}`);
    return label;
  };
}

/** What cannot be seen, or turns what follows: between quotes both YAML and HCL write it as its number. */
export const UNSEEN = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g;

export const numbered = (char: string): string => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
