import { OpsError } from '../errors/ops-error.ts';
import type { ConnectionFlags } from '../model/context.ts';
import type { ConnectionSpec } from '../model/spec.ts';
import { parseDuration, printDuration } from '../model/units.ts';
import { isYes, variableOf } from '../model/variables.ts';
import type { ContextFields, Contexts } from './contexts.ts';
import { parseServers } from './server-url.ts';

export const DEFAULT_URL = 'nats://127.0.0.1:4222';
export const DEFAULT_TIMEOUT = '5s';

/** Where a setting came from, for a person: `--server`, `NATS_URL`, `context prod (NATS_CONTEXT)`, `connection.creds of prod.yaml`. */
export type Source = string;

/** How to prove who we are. A reference is a path or one of the forms of nats/secret. */
export type Auth =
  | { readonly type: 'none' }
  | { readonly type: 'user'; readonly user: string; readonly password: string }
  | { readonly type: 'token'; readonly token: string }
  | { readonly type: 'creds' | 'nkey'; readonly reference: string; readonly base: string | undefined }
  | { readonly type: 'jwt'; readonly jwt: string; readonly seed: string | undefined };

/** A path from a context or a spec, and the file it is relative to; absent: the working directory. */
export interface PathSetting {
  readonly path: string;
  readonly base: string | undefined;
}

/** `chosenBy` where nobody said which server. */
export const DEFAULT_CHOICE = 'the default';

export interface Settings {
  /** URLs without user and password. */
  readonly servers: readonly string[];
  readonly auth: Auth;
  readonly tls: {
    readonly required: boolean;
    readonly first: boolean;
    readonly cert?: PathSetting;
    readonly key?: PathSetting;
    readonly ca?: PathSetting;
  };
  readonly timeoutMs: number;
  /** `$JS.API`, or a domain's or an import's. */
  readonly apiPrefix: string;
  /** The JetStream domain that was asked for. */
  readonly domain?: string;
  readonly inboxPrefix: string;
  /** What chose the server. */
  readonly chosenBy: Source;
  /** What chose each of the others that is set, in reading order: `creds` → `context prod (--context)`. */
  readonly sources: Readonly<Record<string, Source>>;
  /** What must never be shown: `settingsFor` has it kept from everything that is. */
  readonly secrets: readonly string[];
}

export interface SettingsInput {
  readonly flags: ConnectionFlags;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly spec?: ConnectionSpec;
  readonly specFile?: string;
  readonly contexts: Contexts;
}

interface Found {
  readonly value: string;
  readonly from: Source;
  /** The file a relative path in it is relative to. */
  readonly base?: string;
}

/**
 * The context that counts: --context, then NATS_CONTEXT, then the spec's own, then the selected one. The selected
 * one is only somebody's habit on this machine: a spec that names its servers is not led elsewhere by it.
 */
function chooseContext({ flags, env, spec, specFile, contexts }: SettingsInput): { name: string; from: Source } | null {
  if (flags.context) return { name: flags.context, from: '--context' };
  if (env.NATS_CONTEXT) return { name: env.NATS_CONTEXT, from: 'NATS_CONTEXT' };
  if (spec?.context) return { name: spec.context, from: specFile ? `connection.context of ${specFile}` : 'the spec' };
  if (spec?.servers?.length || flags['no-context'] || isYes(env[variableOf('no-context')])) return null;
  return contexts.selected ? { name: contexts.selected, from: 'the selected one' } : null;
}

/**
 * Merges what flags, environment, context and spec say into one set of settings, setting by setting, with the nats
 * CLI's precedence: flag, variable, context, spec, default. So NATS_URL beats the URL of an explicit --context.
 * @throws OpsError CONN_CONTEXT, USAGE
 */
export function resolveSettings(input: SettingsInput): Settings {
  const { flags, env, spec, specFile } = input;
  const chosen = chooseContext(input);
  const context: ContextFields = chosen ? input.contexts.read(chosen.name) : {};
  const contextFrom = chosen ? `context ${chosen.name} (${chosen.from})` : '';
  const sources: Record<string, Source> = {};

  const find = (
    name: string,
    flag: keyof ConnectionFlags | undefined,
    variable: string | undefined,
    inContext: keyof ContextFields | undefined,
    inSpec: keyof ConnectionSpec | undefined,
  ): Found | undefined => {
    const given = flag && flags[flag];
    const set = variable && env[variable];
    const held = inContext && context[inContext];
    const written = inSpec && spec?.[inSpec];
    const text = Array.isArray(written) ? written.join(',') : written === undefined ? '' : String(written);
    const inFile = `connection.${inSpec}${specFile ? ` of ${specFile}` : ' of the spec'}`;
    const found: Found | undefined = given
      ? { value: String(given), from: `--${flag}` }
      : set
        ? { value: set, from: variable }
        : held
          ? { value: String(held), from: contextFrom }
          : text
            ? { value: text, from: inFile, base: specFile }
            : undefined;
    if (found) sources[name] = found.from;
    return found;
  };

  const url = find('server', 'server', 'NATS_URL', 'url', 'servers');
  const parsed = parseServers(url?.value ?? DEFAULT_URL, url?.from ?? DEFAULT_CHOICE);
  if (parsed.length === 0) throw usage(`${url!.from}: no server URL in it`, 'give one as nats://host:4222');
  if (find('socks_proxy', undefined, 'NATS_SOCKS_PROXY', 'socks_proxy', undefined)) {
    throw usage('a SOCKS proxy is set, and this build cannot go through one', 'connect from where no proxy is needed');
  }

  const inUrl = parsed.find((server) => server.user !== undefined);
  const user = find('user', 'user', 'NATS_USER', 'user', 'user') ?? (inUrl && { value: inUrl.user!, from: url!.from });
  const password =
    find('password', 'password', 'NATS_PASSWORD', 'password', 'password') ??
    (inUrl?.password !== undefined ? { value: inUrl.password, from: url!.from } : undefined);
  const creds = find('creds', 'creds', 'NATS_CREDS', 'creds', 'creds');
  const nkey = find('nkey', 'nkey', 'NATS_NKEY', 'nkey', 'nkey');
  const jwt = find('user_jwt', undefined, 'NATS_JWT', 'user_jwt', undefined);
  const seed = find('user_seed', undefined, 'NATS_SEED', 'user_seed', undefined);
  const token = find('token', 'token', 'NATS_TOKEN', 'token', 'token');
  if (context.nsc && !user && !creds && !nkey && !jwt) {
    throw usage(`${contextFrom} takes its credentials from nsc, which this build does not ask`, 'give --creds FILE');
  }

  const cert = find('tlscert', 'tlscert', 'NATS_CERT', 'cert', 'tls_cert');
  const key = find('tlskey', 'tlskey', 'NATS_KEY', 'key', 'tls_key');
  const ca = find('tlsca', 'tlsca', 'NATS_CA', 'ca', 'tls_ca');
  const tlsFirst = isYes(find('tlsfirst', 'tlsfirst', variableOf('tlsfirst'), 'tls_first', 'tls_first')?.value);
  const timeout = find('timeout', 'timeout', 'NATS_TIMEOUT', undefined, 'timeout');
  const domain = find('domain', 'domain', variableOf('domain'), 'jetstream_domain', 'domain');
  if (domain && !/^[^\s.*>]+$/.test(domain.value))
    throw usage(
      `${domain.from}: ${quoted(domain.value)} is not the name of a domain`,
      'a name has no dots, spaces or wildcards',
    );
  const prefix = domain ? undefined : find('api_prefix', undefined, undefined, 'jetstream_api_prefix', undefined);
  const inbox = find('inbox_prefix', undefined, undefined, 'inbox_prefix', 'inbox_prefix');
  delete sources.server;

  const auth = chooseAuth({ user, password, creds, nkey, jwt, seed, token });
  return {
    servers: parsed.map((server) => server.url),
    auth,
    tls: {
      required: parsed.some((server) => server.tls),
      first: tlsFirst,
      ...(cert && { cert: { path: cert.value, base: cert.base } }),
      ...(key && { key: { path: key.value, base: key.base } }),
      ...(ca && { ca: { path: ca.value, base: ca.base } }),
    },
    timeoutMs: readTimeout(timeout),
    apiPrefix: domain ? `$JS.${domain.value}.API` : (prefix?.value.replace(/\.$/, '') ?? '$JS.API'),
    ...(domain && { domain: domain.value }),
    inboxPrefix: inbox?.value ?? '_INBOX',
    chosenBy: url?.from ?? DEFAULT_CHOICE,
    sources,
    secrets: [password, token, jwt, seed, ...(token || password ? [] : [user])].flatMap((found) =>
      found ? [found.value] : [],
    ),
  };
}

/** True where the API is another account's or domain's: between us and it nobody tells that a subject has no listener. */
export const isForeignApi = ({ apiPrefix }: Pick<Settings, 'apiPrefix'>): boolean => apiPrefix !== '$JS.API';

/** user, creds, nkey, user_jwt: the first that is set; a token where none of them is, or a user without a password. */
function chooseAuth(
  found: Record<'user' | 'password' | 'creds' | 'nkey' | 'jwt' | 'seed' | 'token', Found | undefined>,
): Auth {
  const { user, password, creds, nkey, jwt, seed, token } = found;
  if (user && password) return { type: 'user', user: user.value, password: password.value };
  if (user) return { type: 'token', token: token?.value ?? user.value };
  if (creds) return { type: 'creds', reference: creds.value, base: creds.base };
  if (nkey) return { type: 'nkey', reference: nkey.value, base: nkey.base };
  if (jwt) return { type: 'jwt', jwt: jwt.value, seed: seed?.value };
  return token ? { type: 'token', token: token.value } : { type: 'none' };
}

/** What stands in a setting that takes no secret, where it looks as if it were none. */
const quoted = (text: string): string => (/^[\w .*>+-]{1,40}$/.test(text) ? `"${text}"` : 'what it holds');

const usage = (message: string, hint: string): OpsError => new OpsError('USAGE', message, { hints: [hint] });

function readTimeout(found: Found | undefined): number {
  const text = found?.value ?? DEFAULT_TIMEOUT;
  const nanos = parseDuration(text);
  if (nanos === undefined || nanos <= 0) {
    throw usage(`${found!.from}: ${quoted(text)} is not a length of time`, 'write it as 5s, 500ms or 1m');
  }
  if (nanos < 1e6) throw usage(`${found!.from}: ${printDuration(nanos)} is too short`, 'use at least 1ms');
  return nanos / 1e6;
}
