import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const built = new URL('../../../dist/src/tasks/schema/result-check.js', import.meta.url).href;

test('the built schema check ends a hostile pattern, and lets its process end by itself', async () => {
  const script = `
    import { createResultCheck } from '${built}';
    const check = await createResultCheck({ properties: { x: { pattern: '^(a+)+$' } } });
    console.log(JSON.stringify([await check('{"x":"aa"}'), await check('{"x":"${'a'.repeat(40)}!"}')]));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', script]);
  expect(JSON.parse(stdout)).toEqual([
    { value: { x: 'aa' } },
    { failure: expect.stringContaining('took too long (over 3 s)') },
  ]);
});
