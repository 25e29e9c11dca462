import { count, full } from '../format.ts';
import type { Overview } from '../wire.ts';
import { Act, Button } from './basics.tsx';

const statesOf = ({ states }: Overview): string =>
  (['replayable', 'orphan', 'parked', 'gone'] as const)
    .filter((state) => states[state] > 0)
    .map((state) => `${count(states[state])} ${state}`)
    .join(' · ');

interface ActionsProps {
  /** How many are ticked; 0 for none: then all that match are meant. */
  readonly chosen: number;
  /** How many match, once that is known. */
  readonly matching: number | undefined;
  readonly body: Overview | undefined;
  readonly isPicked: boolean;
  readonly onAll: () => void;
  readonly onDo: (what: 'replay' | 'purge') => void;
  readonly onExport: () => void;
}

/** What can be done to those that are ticked, or to all that match. */
export function Actions({ chosen, matching, body, isPicked, onAll, onDo, onExport }: ActionsProps) {
  const n = chosen > 0 ? chosen : matching;
  // What is parked or gone stays where it is. Of some that are picked or chosen nobody knows how many that are.
  const states = body?.states;
  const stays = states && states.parked + states.gone;
  const isAll = chosen === 0 && !isPicked;
  const going = stays === 0 ? n : isAll && states ? states.replayable + states.orphan : undefined;
  const not = n === undefined ? 'they are being counted' : n === 0 ? 'none' : undefined;
  return (
    <div class="actions" role="toolbar" aria-label="what to do with them">
      <span class="what">
        {chosen > 0 ? (
          <>
            <b>{count(chosen)} chosen</b>
            <Button kind="quiet" keys="a" onPress={onAll}>
              all {matching === undefined ? '' : count(matching)} that match instead
            </Button>
          </>
        ) : (
          <b>All {n === undefined ? '' : full(n)} that match</b>
        )}
        {isAll && body && <span class="muted">{statesOf(body)}</span>}
      </span>
      <Act may="replay" kind="main" keys="r" not={not} onPress={() => onDo('replay')}>
        Replay{going !== undefined && ` ${count(going)}`}…
      </Act>
      <Act may="export" onPress={onExport}>
        Export
      </Act>
      <Act may="purge" kind="danger" keys="p" not={not} onPress={() => onDo('purge')}>
        {/* A purge takes what is gone as well: where some are, its dialog has the figure. */}
        Purge{n !== undefined && (chosen > 0 || body?.states.gone === 0) && ` ${count(n)}`}…
      </Act>
    </div>
  );
}
