import { atLeast } from './versions.ts';

/** What a system is like, as far as a defect depends on it. */
export interface DefectScope {
  /** The server's version, as `2.12.3`. */
  readonly version: string;
  /** The most replicas of any work queue. */
  readonly replicas: number;
  /** Whether the server is one of a cluster. */
  readonly clustered: boolean;
}

/** A defect of nats-server that bears on this design. */
export interface Defect {
  readonly id: string;
  /** One sentence: what happens. */
  readonly effect: string;
  /** The first version that has it. */
  readonly from: string;
  /** The first version that does not; absent: none is known. */
  readonly fixed?: string;
  /** `warn` where messages can be lost or hidden; a `note` is only worth knowing. */
  readonly severity: 'warn' | 'note';
  /** Only where this holds. */
  readonly when?: (scope: DefectScope) => boolean;
  readonly advice: string;
  /** An issue of the server's repository, or how it was measured. */
  readonly source: string;
}

const replicated = ({ replicas }: DefectScope): boolean => replicas > 1;

export const DEFECTS: readonly Defect[] = [
  {
    id: 'dead-letters-lost',
    effect:
      'in a cluster, a change of leader or a restart deletes the dead letters below the ack floor from a work queue, payload and all',
    from: '2.10.0',
    fixed: '2.14.1',
    severity: 'warn',
    // Lines that are kept up beside the newest have a fix of their own.
    when: ({ version, clustered }) => clustered && !(atLeast(version, '2.12.9') && !atLeast(version, '2.13.0')),
    advice: 'update nats-server to 2.12.9, 2.14.1 or newer; until then replay dead letters soon',
    source: 'nats-server#7817, mended in full by nats-server#8102; measured on 2.10.26 and 2.12.8',
  },
  {
    id: 'interest-dead-letters-lost',
    effect: 'messages that used up max_deliver can be deleted when the interest state is checked after a restart',
    from: '2.10.0',
    fixed: '2.10.26',
    severity: 'note',
    when: replicated,
    advice: 'update nats-server to 2.10.26 or newer',
    source: 'nats-server#6575',
  },
  {
    id: 'redelivered-leaks',
    effect: 'num_redelivered of a consumer still counts dead messages that were removed, also after a restart',
    from: '2.10.0',
    fixed: '2.12.0',
    severity: 'note',
    advice: 'do not alert on num_redelivered',
    source: 'measured on 2.10.29, 2.11.10, 2.12.15, 2.15.2',
  },
  {
    id: 'ids-forgotten',
    effect:
      'after a graceful restart the server may take a stored Nats-Msg-Id for new, so a repeated publish is stored',
    from: '2.11.0',
    fixed: '2.12.0',
    severity: 'note',
    advice: 'do not restart the server between an interrupted replay and its next run',
    source: 'measured on 2.11.10, two of two runs',
  },
  {
    id: 'fields-ignored',
    effect: 'settings that the server does not know are accepted and dropped without a word',
    from: '2.10.0',
    fixed: '2.12.0',
    severity: 'note',
    advice: 'osapi-ops looks again after each apply and names what did not take',
    source: 'measured on 2.10.29 and 2.11.10',
  },
  {
    id: 'replicas-in-turn',
    effect: 'a change of num_replicas while another one runs is refused (10226) or not answered',
    from: '2.15.0',
    severity: 'note',
    advice: 'wait until all replicas are current before the next change',
    source: 'measured on 2.15.2',
  },
];

/** The defects that a system on this server has. */
export const defectsOf = (scope: DefectScope): readonly Defect[] =>
  DEFECTS.filter(
    ({ from, fixed, when }) =>
      atLeast(scope.version, from) && !(fixed && atLeast(scope.version, fixed)) && (!when || when(scope)),
  );
