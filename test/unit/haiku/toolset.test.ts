import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cutText } from '../../../src/text/truncate.ts';
import { parseGitArguments } from '../../../src/haiku/tools/git/arguments.ts';
import { isGitInternal, isGuardedName, isNamed } from '../../../src/haiku/tools/files/secret-names.ts';
import { toFileChange } from '../../../src/haiku/tools/compare-lines.ts';
import { mergeChanges } from '../../../src/haiku/tools/line-change.ts';
import { applyOutcome, type ToolContext, createToolState } from '../../../src/haiku/tools/tool.ts';
import { foundFindings } from '../../support/found-findings.ts';
import { createToolset } from '../../../src/haiku/toolset.ts';

const context = (findings: ToolContext['findings']): ToolContext => ({
  workspace: null,
  files: [],
  state: createToolState(),
  signal: new AbortController().signal,
  findings,
  runAllow: [],
  httpAllow: [],
  redisHosts: () => [{ host: '127.0.0.1', port: 6379 }],
});
const noFindings = { get: () => Promise.resolve(null), find: () => Promise.resolve(foundFindings()) };

describe('a toolset', () => {
  const names = (options: Parameters<typeof createToolset>[0]): string[] =>
    createToolset(options).definitions.map(({ name }) => name);

  test('offers what the task and the host allow', () => {
    const bare = ['csv_transform', 'findings', 'hand_back', 'json_transform'];
    const files = ['read', 'write', 'edit', 'grep', 'glob', 'list', 'git'];
    expect(names({ workspace: false, runAllow: ['ls'], httpAllow: [] })).toEqual(bare);
    expect(names({ workspace: true, runAllow: [], httpAllow: [] })).toEqual([...files, ...bare].toSorted());
    expect(names({ workspace: true, runAllow: ['ls'], httpAllow: ['a.b'] })).toEqual(
      [...files, 'run', 'http', ...bare].toSorted(),
    );
  });

  test('has the same definitions on hosts that allow other programs and hosts', () => {
    const one = createToolset({ workspace: true, runAllow: ['ls'], httpAllow: ['a.b'] });
    const other = createToolset({ workspace: true, runAllow: ['npm', 'node'], httpAllow: ['c.d:99'] });
    expect(JSON.stringify(other.definitions)).toBe(JSON.stringify(one.definitions));
  });

  test('has the same definitions byte for byte every time, so that they can be cached', () => {
    const options = { workspace: true, runAllow: ['ls'], httpAllow: ['a.b'] };
    const definitions = JSON.stringify(createToolset(options).definitions);
    expect(JSON.stringify(createToolset(options).definitions)).toBe(definitions);
    for (const { input_schema } of createToolset(options).definitions) {
      expect(input_schema).toMatchObject({ type: 'object', additionalProperties: false });
      expect(input_schema).not.toHaveProperty('$schema');
    }
  });

  // A request is one string. A single character beyond Latin-1 doubles its size in memory, for each call that runs.
  test('has definitions in Latin-1', () => {
    const all = { workspace: true, runAllow: ['ls'], httpAllow: ['a.b'], archive: true, peers: true };
    expect(JSON.stringify(createToolset(all).definitions).match(/[\u0100-\uffff]/g)).toBe(null);
  });

  test('has flat definitions, in words that every provider takes', () => {
    const { definitions } = createToolset({ workspace: true, runAllow: ['ls'], httpAllow: ['a.b'], archive: true });
    const known = 'type enum description properties required additionalProperties items minItems maxItems'
      .concat(' minLength maxLength minimum maximum pattern')
      .split(' ');
    const listWords = (schema: object): string[] =>
      Object.entries(schema).flatMap(([word, value]: [string, unknown]) => {
        if (word === 'properties') return [word, ...Object.values(value as object).flatMap(listWords)];
        return typeof value === 'object' && !Array.isArray(value) ? [word, ...listWords(value as object)] : [word];
      });
    for (const { name, input_schema } of definitions) {
      expect([name, listWords(input_schema).filter((word) => !known.includes(word))]).toEqual([name, []]);
    }
    const read = definitions.find(({ name }) => name === 'read');
    expect(read?.input_schema.properties).toMatchObject({ view_range: { type: 'array', minItems: 2, maxItems: 2 } });
    expect(JSON.stringify(definitions)).not.toContain(String(Number.MAX_SAFE_INTEGER));
  });

  test('has flat definitions of the transforms, which are short', () => {
    const { definitions } = createToolset({ workspace: true, runAllow: [], httpAllow: [] });
    const transforms = definitions.filter(({ name }) => name.endsWith('_transform'));
    expect(transforms).toHaveLength(2);
    for (const definition of transforms) {
      const text = JSON.stringify(definition);
      expect(text).not.toMatch(/\$ref|\$defs|prefixItems/);
      expect(text.length).toBeLessThan(2_000);
    }
  });

  test('names no file in the tools of a task without a workspace', () => {
    const definitions = createToolset({ workspace: false, runAllow: [], httpAllow: [] }).definitions;
    expect(JSON.stringify(definitions)).not.toContain('out_file');
  });

  test('lets a lost lock and our own errors through', async () => {
    const broken = context({ ...noFindings, get: () => Promise.reject(new TypeError('our bug')) });
    const toolset = createToolset({ workspace: false, runAllow: [], httpAllow: [] });
    await expect(toolset.run('findings', { action: 'get', ids: ['a'] }, broken)).rejects.toThrow('our bug');
  });
});

describe('findings', () => {
  const toolset = createToolset({ workspace: false, runAllow: [], httpAllow: [] });
  const some = context({
    get: (id) => Promise.resolve(id === 'f1' ? { result: 'found' } : null),
    find: (query) => Promise.resolve(query === 'x' ? foundFindings(about) : { ...foundFindings(), termCount: 0 }),
  });
  const about = { id: 'f1', summary: 'about x', at: '2025-11-21' };

  test('counts as cited what was read, not what was only listed', async () => {
    const listed = await toolset.run('findings', { action: 'search', query: 'x' }, some);
    expect(listed).toEqual({ content: 'f1 (2025-11-21): about x', isError: false });
    const read = await toolset.run('findings', { action: 'get', ids: ['f1', 'f2'] }, some);
    expect(read).toMatchObject({ citations: ['f1'], content: expect.stringContaining('[no finding has the id f2]') });
    expect((await toolset.run('findings', { action: 'get', ids: ['f2'] }, some)).isError).toBe(true);
    expect((await toolset.run('findings', { action: 'search' }, some)).isError).toBe(true);
  });

  test('marks what is short of clean, and says what the search left out', async () => {
    const marked = { ...about, isPartial: true, toolErrors: 2, matches: 1 };
    const whole = { ...about, id: 'f2', isPartial: false, toolErrors: 0, matches: 3 };
    const found = { found: [whole, marked], termCount: 3, olderCount: 1_200, tooLargeCount: 1 };
    const asked = context({ ...noFindings, find: () => Promise.resolve(found) });
    expect((await toolset.run('findings', { action: 'search', query: 'x y z' }, asked)).content).toBe(
      [
        'f2 (2025-11-21): about x',
        'f1 (2025-11-21): [1 of 3 words, PARTIAL, 2 tool errors] about x',
        '[not searched, the time was over: the 1,200 oldest findings]',
        '[not searched, too large: 1 finding]',
      ].join('\n'),
    );
    const nothing = await toolset.run('findings', { action: 'search', query: '…' }, some);
    expect(nothing).toMatchObject({ isError: true, content: expect.stringContaining('no word') });
  });
});

test('a task is handed back for one of the four reasons only', async () => {
  const toolset = createToolset({ workspace: false, runAllow: [], httpAllow: [] });
  const handBack = { reason: 'ambiguous requirements', explanation: 'which site?' };
  expect((await toolset.run('hand_back', handBack, context(noFindings))).handBack).toEqual(handBack);
  expect((await toolset.run('hand_back', { ...handBack, reason: 'too long' }, context(noFindings))).isError).toBe(true);
});

describe('the lines a change touched', () => {
  test.each([
    [null, 'a\nb\n', { added: 2, removed: 0, lines: '1-2' }],
    ['a\nb\n', null, { added: 0, removed: 2, lines: 'deleted' }],
    ['a\nb\nc\n', 'a\nB\nc\n', { added: 1, removed: 1, lines: '2-2' }],
    ['a\nb\nc\n', 'a\nc\n', { added: 0, removed: 1, lines: '2-2' }],
    ['a\nb\n', 'a\n', { added: 0, removed: 1, lines: '1-1' }],
    ['a\n', 'a', { added: 1, removed: 1, lines: '1-1' }],
    ['a\nb\nc\nd\n', 'x\nb\nc\ny\n', { added: 2, removed: 2, lines: '1-4' }],
    ['a\n', '', { added: 0, removed: 1, lines: '0-0' }],
  ])('from %j to %j', (before, after, expected) => {
    expect(toFileChange('f', before, after)).toEqual({ path: 'f', ...expected });
  });

  test('are counted one by one where very many lines were replaced', () => {
    const before = 'same\nold\n'.repeat(3_000);
    const after = before.replaceAll('old', 'new');
    expect(toFileChange('f', before, after)).toEqual({ path: 'f', added: 3_000, removed: 3_000, lines: '2-6000' });
  });

  test('are none when nothing changed', () => {
    expect(toFileChange('f', 'a', 'a')).toBeNull();
  });

  test('add up to the difference in length, whatever the texts', () => {
    const text = fc.array(fc.constantFrom('a\n', 'b\n', 'c\n'), { maxLength: 12 });
    fc.assert(
      fc.property(text, text, (before, after) => {
        const change = toFileChange('f', before.join(''), after.join(''));
        expect((change?.added ?? 0) - (change?.removed ?? 0)).toBe(after.length - before.length);
      }),
    );
  });

  test('move with later edits above them', () => {
    const first = { path: 'f', added: 1, removed: 1, lines: '10-10' };
    expect(mergeChanges(first, { path: 'f', added: 5, removed: 0, lines: '1-5' }).lines).toBe('1-15');
    expect(mergeChanges(first, { path: 'f', added: 1, removed: 0, lines: '20-20' }).lines).toBe('10-20');
    expect(mergeChanges(first, { path: 'f', added: 0, removed: 9, lines: 'deleted' })).toEqual({
      path: 'f',
      added: 1,
      removed: 10,
      lines: 'deleted',
    });
  });
});

test('the state of a task is the same when its stored outcomes are replayed', () => {
  const outcomes = [
    { content: '', isError: false, seen: { a: '1' }, citations: ['f1'] },
    { content: '', isError: false, seen: { a: '2' }, changes: [{ path: 'a', added: 1, removed: 0, lines: '1-1' }] },
    {
      content: '',
      isError: false,
      citations: ['f1', 'f2'],
      changes: [{ path: 'a', added: 2, removed: 1, lines: '3-4' }],
    },
  ];
  const state = createToolState();
  for (const outcome of JSON.parse(JSON.stringify(outcomes)) as typeof outcomes) applyOutcome(state, outcome);
  expect([...state.seen]).toEqual([['a', '2']]);
  expect([...state.citations]).toEqual(['f1', 'f2']);
  expect(state.changes.get('a')).toEqual({ path: 'a', added: 3, removed: 1, lines: '1-4' });
});

describe('names', () => {
  test.each([
    '.env',
    'a/.env.local',
    '.ENVRC',
    'x.pem',
    'X.Key',
    'id_ed25519',
    '.ssh/known_hosts',
    'a/credentials',
    'ｉd_rsa',
    '.env\nx',
  ])('of secrets: %j', (path) => expect(isGuardedName(path)).toBe(true));
  test.each(['env.ts', 'src/environment.ts', 'keys.ts', 'monkey', 'pem.md', 'my.envelope'])(
    'of other files: %s',
    (path) => expect(isGuardedName(path)).toBe(false),
  );
  test('of a repository, in any case', () => {
    expect(['.git', 'a/.GIT/config', '.gıt'].map(isGitInternal)).toEqual([true, true, false]);
    expect(['.gitignore', 'git/x', '.github/x'].some(isGitInternal)).toBe(false);
  });
  test('listed by the task', () => {
    expect(isNamed('a/.env', ['./a//.env'])).toBe(true);
    expect(isNamed('.env', ['a/.env'])).toBe(false);
  });
});

describe('git arguments', () => {
  test('get one form, so that no value passes for an option', () => {
    expect(parseGitArguments(['commit', '-am', '--amend', 'a.txt'])).toEqual({
      command: 'commit',
      options: ['-a', '-m--amend'],
      words: ['a.txt'],
      paths: null,
    });
    expect(parseGitArguments(['log', '--since', '1 week', '-n', '3', '-5', 'main', '--', '-x']).options).toEqual([
      '--since=1 week',
      '-n3',
      '-5',
    ]);
    expect(() => parseGitArguments(['commit', '-m'])).toThrow('needs a value');
    expect(() => parseGitArguments(['log', '--oneline=x'])).toThrow('not allowed');
  });
});

test('a cut text fits, says so, and splits no character', () => {
  expect(cutText('short')).toBe('short');
  const cut = cutText('é'.repeat(1_000), 501);
  expect(Buffer.byteLength(cut)).toBeLessThanOrEqual(501);
  expect(cut).toMatch(/^é+\n\[cut: 2000 bytes/);
});
