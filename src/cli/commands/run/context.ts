import { listContexts, removeContext, saveContext } from '../../../contexts/memory-contexts.ts';
import { readTextFile } from '../../input/files.ts';
import { printJson, renderTable } from '../../output/print.ts';
import { withFleet } from '../../input/with-fleet.ts';
import { formatCount } from '../../../text/plural.ts';

/** Does `fleet context load`. */
export async function runContextLoadCommand(name: string, file: string): Promise<void> {
  const { text, encoding } = readTextFile('context', file);
  await withFleet(async ({ inner: { db, assertMayAdd } }) => {
    await assertMayAdd();
    const info = await saveContext(db, name, text);
    const from = encoding === 'UTF-8' ? '' : `, decoded from ${encoding}`;
    const size = `${formatCount(info.bytes)} bytes, about ${toTokens(text)} tokens`;
    console.log(`Context ${info.name}: ${size}${from}.`);
  });
}

/** Does `fleet context ls`. */
export async function runContextListCommand(options: { json?: boolean }): Promise<void> {
  await withFleet(async ({ inner: { db } }) => {
    const found = await listContexts(db);
    if (options.json) return printJson(found);
    if (found.length === 0) return console.log('No contexts. fleet context load NAME FILE stores one.');
    const rows = found.map(({ name, bytes, loadedAt }) => [name, formatCount(bytes), loadedAt]);
    console.log(renderTable([['name', 'bytes', 'loaded'], ...rows], [1]));
  });
}

/** Does `fleet context rm`. */
export async function runContextRemoveCommand(name: string): Promise<void> {
  await withFleet(async ({ inner: { db, assertMayAdd } }) => {
    await assertMayAdd();
    await removeContext(db, name);
    console.log(`Context ${name} is gone.`);
  });
}

function toTokens(text: string): string {
  return formatCount(Math.ceil(text.length / 4));
}
