import { FleetError } from '../../../errors.ts';
import type { OpenFleet } from '../../../api/open-fleet.ts';
import { findCarriers } from '../../../patches/carriers.ts';
import { selectPatches } from '../../../patches/select.ts';
import type { PatchRecord } from '../../../patches/types.ts';
import { toSelection, type SelectionOptions } from '../../input/patch-selection.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { toTerminalDiff } from '../../output/diff-colours.ts';
import { printPaged } from '../../output/pager.ts';
import { describeCarried, renderPatchList, renderStat } from '../../output/patches.ts';
import { isTerminal, printJson, wantsColour } from '../../output/print.ts';

export interface DiffOptions extends SelectionOptions {
  stat?: boolean;
  json?: boolean;
}

/** Does `fleet diff`. */
export async function runDiffCommand(ids: string[], options: DiffOptions): Promise<void> {
  const isList = ids.length === 0 && options.batch === undefined && options.mission === undefined;
  const selection = isList ? null : toSelection('diff', ids, options);
  await withFleet(async (fleet) => {
    const records = selection === null ? await fleet.patches.list() : await selectPatches(fleet.inner.db, selection);
    if (options.json === true) return printJson(await withTexts(fleet, records, isList || options.stat === true));
    if (records.length === 0) return console.log('No patch waits.');
    if (isList) return console.log(renderPatchList(records));
    if (options.stat === true) return console.log(records.map(renderStat).join('\n\n'));
    await printTexts(fleet, ids.length > 0 ? records : withoutCarried(records));
  });
}

/** Of several patches one text comes out, in which a carried one would be twice. */
function withoutCarried(records: readonly PatchRecord[]): PatchRecord[] {
  const carriers = findCarriers(records);
  return records.filter(({ findingId }) => !carriers.has(findingId));
}

async function withTexts(fleet: OpenFleet, records: readonly PatchRecord[], isShort: boolean) {
  if (isShort) return { patches: records };
  const texts = await Promise.all(records.map(({ findingId }) => fleet.patches.diff(findingId)));
  return { patches: records.map((record, i) => ({ ...record, diff: toText(texts[i] ?? null) })) };
}

function toText(bytes: Uint8Array | null): string | null {
  return bytes === null ? null : Buffer.from(bytes).toString('utf8');
}

/** What a person must know who would give the text to `git apply`. */
function describeRedacted({ findingId, isRedacted }: PatchRecord): string[] {
  if (isRedacted !== true) return [];
  return [`note: [redacted] marks a secret in this text; fleet apply ${findingId} takes the change from its commit`];
}

/** @throws FleetError for a patch whose text is not kept: the others are printed before */
async function printTexts(fleet: OpenFleet, records: readonly PatchRecord[]): Promise<void> {
  const notes = [...records.flatMap(describeCarried), ...records.flatMap(describeRedacted)];
  const kept: Uint8Array[] = [];
  const lost: PatchRecord[] = [];
  for (const record of records) {
    const text = await fleet.patches.diff(record.findingId);
    if (text === null && record.state !== 'empty') lost.push(record);
    else kept.push(text ?? new Uint8Array());
  }
  const whole = Buffer.concat(kept);
  if (!isTerminal()) for (const note of notes) console.error(note);
  if (isTerminal()) await printPaged(toTerminalDiff([...notes, whole.toString('utf8')].join('\n'), wantsColour()));
  else process.stdout.write(whole); // to the byte: `git apply` may read it
  if (lost.length === 0) return;
  const names = lost.map(
    ({ findingId, base, head }) => `${findingId} (git diff ${base.slice(0, 12)} ${head.slice(0, 12)})`,
  );
  throw new FleetError(`the text of these patches is not kept; git may still have them: ${names.join(', ')}`);
}
