import { useMemo, useState } from 'preact/hooks';
import { hexLines } from '../../lib/model/hex.ts';
import { bytes } from '../format.ts';
import { type JsonNode, occurrences, parseJsonText, pathStep } from '../json-text.ts';
import { copy } from '../state.ts';
import type { Body } from '../wire.ts';
import { Button, Glyph, shown } from './basics.tsx';

interface Picks {
  /** Only those with this value; only those without; the groups of it. */
  readonly onPick?: ((what: 'only' | 'not' | 'by', path: string, value: string) => void) | undefined;
}

/** A text with what was looked for marked in it. */
function Marked({ text, word }: { text: string; word: string }) {
  const all = shown(text, true);
  if (word === '') return <>{all}</>;
  const parts: (string | { mark: string })[] = [];
  const low = all.toLowerCase();
  let at = 0;
  for (
    let found = low.indexOf(word.toLowerCase());
    found >= 0 && parts.length < 400;
    found = low.indexOf(word.toLowerCase(), at)
  ) {
    parts.push(all.slice(at, found), { mark: all.slice(found, found + word.length) });
    at = found + word.length;
  }
  parts.push(all.slice(at));
  return <>{parts.map((part, index) => (typeof part === 'string' ? part : <mark key={index}>{part.mark}</mark>))}</>;
}

/** A long string is cut until somebody wants all of it. */
function LongText({ text, word }: { text: string; word: string }) {
  const [isWhole, setWhole] = useState(false);
  const isLong = text.length > 300 && !isWhole;
  return (
    <>
      <Marked text={isLong ? `${text.slice(0, 280)}` : text} word={word} />
      {isLong && (
        <button type="button" class="quiet" onClick={() => setWhole(true)}>
          … {text.length - 280} more
        </button>
      )}
    </>
  );
}

const holds = (node: JsonNode, word: string): boolean => {
  if (node.kind === 'object')
    return node.entries.some(([key, value]) => occurrences(key, word, 1) > 0 || holds(value, word));
  if (node.kind === 'array') return node.items.some((item) => holds(item, word));
  return node.kind !== 'deep' && occurrences(node.text, word, 1) > 0;
};

interface NodeProps extends Picks {
  readonly name?: string | undefined;
  readonly node: JsonNode;
  readonly path: string;
  readonly depth: number;
  readonly word: string;
}

function Leaf({ name, node, path, word, onPick }: NodeProps & { node: Extract<JsonNode, { text: string }> }) {
  const [isOpen, setOpen] = useState(false);
  const text = node.kind === 'string' ? JSON.stringify(node.text) : node.text;
  const label = name === undefined ? null : <Marked text={name} word={word} />;
  return (
    <li>
      {onPick && name !== undefined ? (
        <button type="button" class="key" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {label}
        </button>
      ) : (
        <span class="key">{label}</span>
      )}
      {name !== undefined && ': '}
      <span class={node.kind}>
        <LongText text={text} word={word} />
      </span>
      {isOpen && onPick && (
        <span class="picks">
          <Button kind="quiet" onPress={() => onPick('only', path, node.text)}>
            only these
          </Button>
          <Button kind="quiet" onPress={() => onPick('not', path, node.text)}>
            not these
          </Button>
          <Button kind="quiet" onPress={() => onPick('by', path, node.text)}>
            group by it
          </Button>
        </span>
      )}
    </li>
  );
}

function Branch(props: NodeProps) {
  const { name, node, path, depth, word } = props;
  const [wanted, setWanted] = useState<boolean | undefined>(undefined);
  if (node.kind === 'deep')
    return <li class="muted">{name !== undefined && `${shown(name)}: `}deeper than is shown; copy it to read it</li>;
  if (node.kind !== 'object' && node.kind !== 'array') return <Leaf {...props} node={node} />;
  const list: [string | number, JsonNode][] =
    node.kind === 'object'
      ? node.entries.map(([key, value]) => [key, value])
      : node.items.map((item, index) => [index, item]);
  const isOpen = wanted ?? (word === '' ? depth < 2 && list.length <= 50 : holds(node, word));
  const [left, right] = node.kind === 'object' ? ['{', '}'] : ['[', ']'];
  return (
    <li>
      <button type="button" class="fold" aria-expanded={isOpen} onClick={() => setWanted(!isOpen)}>
        <Glyph name={isOpen ? 'unfolded' : 'folded'} />
        {name !== undefined && (
          <span class="key">
            <Marked text={name} word={word} />:{' '}
          </span>
        )}
        {left}
        {!isOpen && (
          <>
            <span class="muted"> {list.length} </span>
            {right}
          </>
        )}
      </button>
      {isOpen && (
        <>
          <ul>
            {list.slice(0, 1000).map(([key, value], index) => (
              <Branch
                key={index}
                name={typeof key === 'number' ? undefined : key}
                node={value}
                path={pathStep(path, key)}
                depth={depth + 1}
                word={word}
                onPick={props.onPick}
              />
            ))}
            {(node.cut || list.length > 1000) && <li class="muted">more than is shown; copy it to read it</li>}
          </ul>
          {right}
        </>
      )}
    </li>
  );
}

/** So much of what is no text is shown. */
const MOST_BYTES = 4096;
const bytesOf = (base64: string): Uint8Array => Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));

/** A payload: JSON folded, text as it is, bytes as hex. Whatever is in it is text. */
export function Payload({ body, onPick, onDownload }: { body: Body; onDownload?: (() => void) | undefined } & Picks) {
  const [word, setWord] = useState('');
  const { payload, payload_base64: base64, payload_cut: cut, payload_size: size } = body;
  const tree = useMemo(() => (payload === undefined || cut ? undefined : parseJsonText(payload)), [payload, cut]);
  const hex = useMemo(
    () => (base64 === undefined ? undefined : hexLines(bytesOf(base64), MOST_BYTES).join('\n')),
    [base64],
  );
  if (payload === undefined && base64 === undefined) return <p class="muted">Nothing of the message is left.</p>;
  const text = payload ?? hex!;
  const found = word === '' ? 0 : occurrences(text, word);
  return (
    <div class="payload">
      <div class="tools">
        <input
          type="search"
          aria-label="search in the payload"
          placeholder="search in it"
          value={word}
          onInput={({ currentTarget }) => setWord(currentTarget.value)}
        />
        {word !== '' && <span role="status">{found === 0 ? 'not in it' : `${found} times`}</span>}
        <span class="muted">
          {tree ? 'JSON' : payload === undefined ? 'bytes' : 'text'},{' '}
          {bytes(size ?? (payload === undefined ? bytesOf(base64!).length : new TextEncoder().encode(payload).length))}
        </span>
        <Button
          kind="quiet"
          label="copy the payload"
          onPress={() => void copy(payload ?? base64!, payload === undefined ? 'the payload as base64' : 'the payload')}
        >
          <Glyph name="copy" /> copy
        </Button>
        {onDownload && (
          <Button kind="quiet" onPress={onDownload}>
            save the bytes
          </Button>
        )}
      </div>
      {cut && <p class="notes warning">Only the first {bytes(text.length)} are shown; save the bytes to have all.</p>}
      <div class="payload-text" tabIndex={0} role="region" aria-label="payload">
        {tree ? (
          <ul class="json">
            <Branch node={tree} path="json:" depth={0} word={word} onPick={onPick} />
          </ul>
        ) : (
          <pre>{payload === undefined ? text : <Marked text={payload.slice(0, 65_536)} word={word} />}</pre>
        )}
      </div>
    </div>
  );
}
