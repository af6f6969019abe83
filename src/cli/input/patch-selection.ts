import { UsageError } from '../../errors.ts';
import type { PatchSelection } from '../../patches/types.ts';

export interface SelectionOptions {
  batch?: string;
  mission?: string;
}

/** @param command for the error. @throws UsageError unless exactly one of ids, batch and mission is given */
export function toSelection(command: string, ids: string[], { batch, mission }: SelectionOptions): PatchSelection {
  const given = [
    ...(ids.length > 0 ? ['ids'] : []),
    ...(batch === undefined ? [] : ['--batch']),
    ...(mission === undefined ? [] : ['--mission']),
  ];
  if (given.length !== 1) {
    const got = given.length === 0 ? 'nothing' : given.join(' and ');
    throw new UsageError(`${command}: expected ids, or --batch NAME, or --mission ID; got ${got}`);
  }
  const blank = [...ids, batch, mission].find((text) => text?.trim() === '');
  if (blank !== undefined) throw new UsageError(`${command}: expected an id or a name, got ${JSON.stringify(blank)}`);
  return {
    ...(ids.length > 0 ? { ids } : {}),
    ...(batch === undefined ? {} : { batch }),
    ...(mission === undefined ? {} : { mission }),
  };
}
