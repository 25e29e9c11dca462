// Carries out a Containerfile where no engine runs: each stage a directory, RUN in a chroot over this machine's system
// files. It knows the instructions that ours uses, and throws at any other.
import { execFileSync } from 'node:child_process';
import { chownSync, cpSync, existsSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface Instruction {
  readonly name: string;
  /** `--from=build` as `{from: 'build'}`. */
  readonly flags: Readonly<Record<string, string>>;
  readonly text: string;
}

export function parseContainerfile(text: string): readonly Instruction[] {
  const lines = text.split('\n').filter((line) => line.trim() && !line.startsWith('#'));
  const whole = lines.join('\n').replaceAll(/\\\n/g, '').split('\n');
  return whole.map((line) => {
    const [, name, flags, rest] = /^([A-Z]+)((?: --\S+)*) +(.*)$/.exec(line) ?? [];
    if (!name) throw new Error(`no instruction: ${line}`);
    const given = [...flags!.matchAll(/--([a-z]+)=(\S+)/g)].map((match) => [match[1]!, match[2]!]);
    return { name, flags: Object.fromEntries(given), text: rest! };
  });
}

/** What a finished stage is: its files, and how it starts. */
export interface Image {
  readonly root: string;
  workdir: string;
  user: string;
  readonly env: Record<string, string>;
  entrypoint: readonly string[];
  cmd: readonly string[];
}

export interface BuildOptions {
  /** Holds the stages. */
  readonly dir: string;
  /** The build's context. */
  readonly context: string;
  /** Makes the root of a base image. */
  readonly base: (image: string, root: string) => void;
  /** Folders of this machine, mounted where a RUN asks for a cache at that place. */
  readonly caches: Readonly<Record<string, string>>;
}

/** Carries out all stages in order. @returns the last one */
export function buildImage(instructions: readonly Instruction[], options: BuildOptions): Image {
  const stages = new Map<string, Image>();
  let image: Image | undefined;
  for (const { name, flags, text } of instructions) {
    if (name === 'FROM') {
      const [from, , as] = text.split(' ');
      const root = join(options.dir, `stage-${stages.size}`);
      options.base(from!, root);
      image = { root, workdir: '/', user: '0:0', env: {}, entrypoint: [], cmd: [] };
      stages.set(as ?? 'last', image);
    } else follow(image!, { name, flags, text }, options, stages);
  }
  return image!;
}

function follow(image: Image, { name, flags, text }: Instruction, options: BuildOptions, stages: Map<string, Image>) {
  switch (name) {
    case 'WORKDIR':
      image.workdir = text;
      mkdirSync(join(image.root, text), { recursive: true });
      return;
    case 'ENV':
      Object.assign(image.env, Object.fromEntries(text.split(' ').map((pair) => pair.split('='))));
      return;
    case 'USER':
      image.user = text;
      return;
    case 'ENTRYPOINT':
      image.entrypoint = JSON.parse(text);
      return;
    case 'CMD':
      image.cmd = JSON.parse(text);
      return;
    case 'COPY':
      return copy(image, text.split(' '), flags.from ? stages.get(flags.from)!.root : options.context, flags.chown);
    case 'RUN': {
      const place = /^type=cache,target=(\S+)$/.exec(flags.mount ?? '')?.[1];
      const mounts = place ? { [place]: options.caches[place]! } : {};
      // A machine behind a proxy that signs for others trusts it by a file under /etc, which is here too.
      const { NODE_EXTRA_CA_CERTS } = process.env;
      const env: Record<string, string> = NODE_EXTRA_CA_CERTS?.startsWith('/etc/') ? { NODE_EXTRA_CA_CERTS } : {};
      const [command, ...args] = sandboxed(image, ['sh', '-ec', text], { mounts, env });
      execFileSync(command!, args, { stdio: ['ignore', 'ignore', 'pipe'] });
      return;
    }
    case 'ARG':
    case 'LABEL':
    case 'STOPSIGNAL':
      return;
    default:
      throw new Error(`no way to carry out ${name}`);
  }
}

function copy(image: Image, words: readonly string[], from: string, owner = '0:0') {
  const to = words.at(-1)!;
  const target = join(image.root, to.startsWith('/') ? to : join(image.workdir, to));
  for (const source of words.slice(0, -1)) {
    const path = join(from, source);
    const isInto = to.endsWith('/') && statSync(path).isFile();
    cpSync(path, isInto ? join(target, basename(source)) : target, { recursive: true, verbatimSymlinks: true });
    const [uid, gid] = owner.split(':').map(Number);
    chownSync(target, uid!, gid!);
  }
}

const SYSTEM = ['bin', 'lib', 'lib64', 'libexec', 'sbin', 'share'].filter((name) => existsSync(`/usr/${name}`));

/** A root over this machine's /usr, with a /usr/local of its own, and users as the official Node image has them. */
export function makeRoot(root: string): void {
  for (const name of [
    'usr/local/bin',
    'etc',
    'proc',
    'dev',
    'tmp',
    'root',
    'home/node',
    ...SYSTEM.map((name) => `usr/${name}`),
  ])
    mkdirSync(join(root, name), { recursive: true });
  for (const name of ['bin', 'lib', 'lib64', 'sbin']) symlinkSync(`usr/${name}`, join(root, name));
  writeFileSync(join(root, 'users'), 'root:x:0:0::/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n');
  writeFileSync(join(root, 'groups'), 'root:x:0:\nnode:x:1000:\n');
}

export interface RunOptions {
  /** Folders of this machine, by where they are mounted. */
  readonly mounts?: Readonly<Record<string, string>>;
  readonly isReadOnly?: boolean;
  readonly env?: Readonly<Record<string, string>>;
  /** Instead of the image's. */
  readonly user?: string;
}

/** The command line that runs `argv` in the image. It becomes that process: signals reach it. Needs root. */
export function sandboxed(image: Image, argv: readonly string[], options: RunOptions = {}): string[] {
  const { root } = image;
  const bind = (from: string, to: string) => `mkdir -p ${root}${to}\nmount --rbind ${from} ${root}${to}`;
  const [uid, gid] = (options.user ?? image.user).split(':');
  const home = uid === '0' ? '/root' : '/home/node';
  const env = { PATH: '/usr/local/bin:/usr/bin:/bin', HOME: home, ...image.env, ...options.env };
  const words = Object.entries(env).map(([name, value]) => `'${name}=${value}'`);
  const script = [
    'set -e',
    `mount --bind ${root} ${root}`,
    ...SYSTEM.map((name) => `${bind(`/usr/${name}`, `/usr/${name}`)}\nmount -o remount,bind,ro ${root}/usr/${name}`),
    bind('/etc', '/etc'),
    `mount --bind ${root}/users ${root}/etc/passwd`,
    `mount --bind ${root}/groups ${root}/etc/group`,
    bind('/proc', '/proc'),
    bind('/dev', '/dev'),
    `mount -t tmpfs -o mode=1777 tmp ${root}/tmp`,
    ...Object.entries(options.mounts ?? {}).map(([to, from]) => bind(from, to)),
    ...(options.isReadOnly ? [`mount -o remount,bind,ro ${root}`] : []),
    `exec chroot --userspec=${uid}:${gid} --groups= ${root} setpriv --no-new-privs env -i -C ${image.workdir} ${words.join(' ')} "$@"`,
  ];
  return ['unshare', '--mount', 'sh', '-c', script.join('\n'), 'sh', ...argv];
}
