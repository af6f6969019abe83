import { mkdirSync, writeFileSync } from 'node:fs';
import { chmod, mkdir, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { createGrepTool } from '../../../src/haiku/tools/search/grep-tool.ts';
import { createToolWorkspace, type ToolWorkspace } from '../../support/tool-workspace.ts';

let site: ToolWorkspace;
beforeEach(async () => {
  site = await createToolWorkspace();
});

async function grep(pattern: string, more: Record<string, unknown> = {}): Promise<string> {
  const { content, isError } = await site.use('grep', { pattern, ...more });
  expect(isError, content).toBe(false);
  return content;
}

describe('large files and long lines', () => {
  test('a hit at the end of a 9 MB log is shown', async () => {
    await site.put('big.log', `${'a line of a log\n'.repeat(600_000)}needle here\n`);
    expect(await grep('needle')).toBe('big.log:600001:needle here');
    expect(await grep('a log$', { limit: 1 })).toBe(
      'big.log:1:a line of a log\n[more than 10,000 more lines; narrow by path, glob or pattern]',
    );
  });

  test.each([70_000, 3_000_000])('a line of %d bytes is shown as a window around the match', async (size) => {
    await site.put('min.js', `first\n${'x'.repeat(size - 50)}needle${'y'.repeat(44)}\nlast\n`);
    const head = `min.js:2:[characters ${size - 599}-${size} of a line of ${size} bytes] `;
    expect(await grep('needle', { context: 1 })).toBe(
      `min.js-1-first\n${head}${'x'.repeat(550)}needle${'y'.repeat(44)}\nmin.js-3-last`,
    );
  });

  test('a window splits no character, and read goes on where it begins', async () => {
    const euros = Array.from({ length: 5_000 }, (_, at) => `${at}€ü`).join('');
    await site.put('wide.txt', `one\n${euros.slice(0, 15_000)}needle${euros.slice(15_000)}`);
    const text = await grep('needle');
    const [, first = ''] =
      /^wide\.txt:2:\[characters (\d+)-\d+ of a line of \d+ bytes\] [\d€ü]+needle[\d€ü]+$/.exec(text) ?? [];
    const { content } = await site.use('read', {
      file_path: 'wide.txt',
      view_range: [2, 2],
      from_character: Number(first),
    });
    expect(content).toContain(`2\t${text.slice(text.indexOf('] ') + 2)}`);
  });

  test('what needs more memory than a search may have is named', async () => {
    await site.put('a.txt', 'needle\n');
    await site.put('disk.img', '');
    await truncate(join(site.root, 'disk.img'), 3 * 2 ** 30); // a sparse file
    expect(await grep('needle')).toBe('a.txt:1:needle\n[not searched: disk.img (more than 64M)]');
    expect(await grep('needle', { path: 'disk.img' })).toBe(
      "no matches in what was searched\n[not searched: disk.img (a line is longer than a search's memory)]",
    );
  });
});

describe('encodings and line ends', () => {
  test('the end of a line is before CR LF, too', async () => {
    await site.put('dos.txt', 'one x\r\ntwo x y\r\nx');
    expect(await grep('x$')).toBe('dos.txt:1:one x\ndos.txt:3:x');
    expect(await grep('^$')).toBe('no matches');
    expect(await grep(String.raw`y\r$`)).toBe('dos.txt:2:two x y');
    expect(await grep('two', { context: 1 })).toBe('dos.txt-1-one x\ndos.txt:2:two x y\ndos.txt-3-x');
  });

  test('a NUL does not end the search, and is written out', async () => {
    await site.put('nul.log', Buffer.from('one line\0of a log\nand the needle\nneedle\0\n'));
    expect(await grep('needle')).toBe(String.raw`nul.log:2:and the needle` + '\n' + String.raw`nul.log:3:needle\x00`);
  });

  test('a binary file is named with its lines', async () => {
    await site.put('a.bin', Buffer.from([...Array(2_000).keys()].map((at) => at % 7)));
    await writeFile(join(site.root, 'a.bin'), '\nneedle\nneedle\n', { flag: 'a' });
    expect(await grep('needle')).toBe('[found in binary files, not shown: a.bin (2 lines)]');
    expect(await grep('needle', { output: 'files' })).toBe('a.bin');
  });

  test.each(['utf16le', 'utf16be'])('UTF-16 with a byte order mark is searched: %s', async (kind) => {
    const bytes = Buffer.from('\uFEFFGrüße\r\nein needle\r\n', 'utf16le');
    await site.put('u.txt', kind === 'utf16le' ? bytes : bytes.swap16());
    expect(await grep('needle')).toBe('u.txt:2:ein needle');
    expect(await grep('^Gr..e$', { context: 1 })).toBe('u.txt:1:Grüße\nu.txt-2-ein needle');
  });

  test('a byte order mark of UTF-8 is no part of the first line', async () => {
    await site.put('bom.txt', '\uFEFFneedle one\nneedle two\n');
    expect(await grep('^needle')).toBe('bom.txt:1:needle one\nbom.txt:2:needle two');
  });
});

describe('other encodings', () => {
  test('a file in an encoding of one byte is searched as Windows-1252', async () => {
    await site.put('a.txt', 'Grüße\n');
    await site.put('old.txt', Buffer.from('Caf\xe9 \x80 5\r\nGr\xfc\xdfe\n', 'latin1'));
    await site.put('.gitignore', '*.bak\n');
    await site.put('old.bak', Buffer.from('Gr\xfc\xdfe\n', 'latin1'));
    expect(await grep('Grüße')).toBe('a.txt:1:Grüße\nold.txt:2:Grüße\n[read as Windows-1252: old.txt]');
    expect(await grep('caf. €', { ignore_case: true, context: 1 })).toBe(
      'old.txt:1:Café € 5\nold.txt-2-Grüße\n[read as Windows-1252: old.txt]',
    );
    expect(await grep('\\w+ße$', { glob: 'o*', output: 'count' })).toBe(
      '1 old.txt\n[1 line in 1 file]\n[read as Windows-1252: old.txt]',
    );
    expect(await grep('Grüße', { path: 'old.bak', output: 'files' })).toBe('old.bak\n[read as Windows-1252: old.bak]');
    expect(await grep('absent')).toBe('no matches');
  });

  test('UTF-16 without a byte order mark is named, a binary file is not', async () => {
    const bytes = Buffer.from('a needle in UTF-16\r\n', 'utf16le');
    await site.put('le.txt', bytes);
    await site.put('sub/be.txt', Buffer.from(bytes).swap16());
    await site.put('image.bin', Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10, 0, 0, 0, 13, 1, 2, 0xff, 0xd8]));
    const reason = '(UTF-16 without a byte order mark)';
    expect(await grep('needle')).toBe(
      `no matches in what was searched\n[not searched: le.txt ${reason}, sub/be.txt ${reason}]`,
    );
    expect(await grep('needle', { glob: '*.md' })).toBe('no matches');
  });

  test('a guarded file is not named by its encoding', async () => {
    await site.put('.env', Buffer.from('KEY=caf\xe9', 'latin1'));
    await site.put('tls/server.key', Buffer.from('needle', 'utf16le'));
    expect(await grep('KEY|needle')).toBe('no matches');
  });
});

describe('what is searched', () => {
  beforeEach(async () => {
    await site.put('.gitignore', '*.log\n/dist/\n!keep.log\n');
    await site.put('src/.gitignore', 'gen/\n/only-here.ts\n');
    for (const path of [
      '.github/ci.yml',
      'a.log',
      'keep.log',
      'dist/a.js',
      'src/gen/b.ts',
      'src/only-here.ts',
      'src/deep/only-here.ts',
      'src/deep/c.log',
      'node_modules/x/index.js',
      '.git/config',
      '.ignore',
      '.rgignore',
    ])
      await site.put(path, 'needle\n');
    await writeFile(join(site.root, '..', '.gitignore'), '*\n');
  });

  test('hidden files are, and what .gitignore names and node_modules are not; no repository is needed', async () => {
    const visible = ['.github/ci.yml', '.ignore', '.rgignore', 'keep.log', 'src/deep/only-here.ts'];
    expect((await grep('needle', { output: 'files' })).split('\n').toSorted()).toEqual(visible);
    await mkdir(join(site.root, '.git/objects'), { recursive: true });
    expect((await grep('needle', { output: 'files' })).split('\n').toSorted()).toEqual(visible);
    const listed = await site.use('glob', { pattern: '**' });
    expect(listed.content.split('\n').map((line) => line.replace(/^\d+ /, ''))).toEqual([
      '.github/ci.yml',
      '.gitignore',
      ...visible.slice(1, 4),
      'src/.gitignore',
      'src/deep/only-here.ts',
    ]);
  });

  test('rules above the folder count up to the workspace, and what is named directly is searched', async () => {
    expect(await grep('needle', { path: 'src/deep' })).toBe('src/deep/only-here.ts:1:needle');
    expect(await grep('needle', { path: 'src/gen' })).toBe('src/gen/b.ts:1:needle');
    expect(await grep('needle', { path: 'dist' })).toBe('dist/a.js:1:needle');
    expect(await grep('needle', { path: 'a.log' })).toBe('a.log:1:needle');
    expect(await grep('needle', { path: 'node_modules/x' })).toBe('node_modules/x/index.js:1:needle');
  });

  test('a glob brings back nothing, ignored does', async () => {
    expect(await grep('needle', { glob: '*.log' })).toBe('keep.log:1:needle');
    expect((await site.use('glob', { pattern: '**/*.log' })).content).toBe('7 keep.log');
    expect((await site.use('glob', { pattern: 'dist/**' })).content).toBe('no matches');
    expect((await grep('needle', { glob: '**/*.log', ignored: true })).split('\n')).toEqual([
      'a.log:1:needle',
      'keep.log:1:needle',
      'src/deep/c.log:1:needle',
    ]);
    expect(await grep('needle', { glob: '*.js', ignored: true, output: 'files' })).toBe(
      'dist/a.js\nnode_modules/x/index.js',
    );
    expect((await site.use('glob', { pattern: '.git/**', ignored: true })).content).toBe('no matches');
  });

  test.each([
    ['*.ts', '', 'src/deep/only-here.ts'],
    ['deep/*.ts', 'src', 'src/deep/only-here.ts'],
    ['!*.{ts,log}', '', '.github/ci.yml .ignore .rgignore'],
    ['src/**', '', 'src/deep/only-here.ts'],
    ['*', '', '.github/ci.yml .ignore .rgignore keep.log src/deep/only-here.ts'],
  ])('only files of the glob %s in "%s"', async (glob, path, expected) => {
    const found = await grep('needle', { glob, output: 'files', ...(path === '' ? {} : { path }) });
    expect(found.split('\n').toSorted().join(' ')).toBe(expected);
  });

  test('what cannot be read is named', async (context) => {
    if (process.getuid?.() === 0) context.skip('root reads everything');
    await chmod(join(site.root, 'keep.log'), 0);
    expect(await grep('no line holds this')).toBe(
      'no matches in what was searched\n[not searched: keep.log (permission denied)]',
    );
    const { content } = await site.use('grep', { pattern: 'needle', path: 'keep.log' });
    expect(content).toBe('"keep.log": permission denied');
  });
});

describe('names', () => {
  test.each(['a\nb.txt', '"q".txt', '-e', "it's a $(name).txt", 'x:12:y.txt', '[id]/page.tsx', 'e\u0301🍐.txt', ' '])(
    'found by grep and glob: %j',
    async (name) => {
      await site.put(name, 'needle\n');
      const odd = /^[["\s]|\n|:\d+:/.test(name);
      expect(await grep('needle')).toBe(`${odd ? JSON.stringify(name) : name}:1:needle`);
      expect(await grep('needle', { path: name, output: 'count' })).toContain(odd ? JSON.stringify(name) : name);
      expect((await site.use('glob', { pattern: name })).content).toBe(`7 ${odd ? JSON.stringify(name) : name}`);
    },
  );

  test('that are not UTF-8 are named, and not searched', async () => {
    await writeFile(Buffer.concat([Buffer.from(`${site.root}/caf`), Buffer.from([0xe9])]), 'needle\n');
    expect(await grep('needle')).toBe(
      'no matches in what was searched\n' + String.raw`[not searched: "caf\xe9" (its name is not UTF-8)]`,
    );
    expect((await site.use('glob', { pattern: '*' })).content).toBe(
      String.raw`[names that are not UTF-8, which no tool can open: "caf\xe9"]`,
    );
  });
});

describe('what a search gives', () => {
  beforeEach(async () => {
    await site.put('a.txt', 'one\ntwo needle\nthree\nfour\nfive needle\nsix needle\nseven\n');
    await site.put('b/c.txt', 'Needle\n');
  });

  test('context, each line once', async () => {
    expect(await grep('needle', { context: 1 })).toBe(
      ['a.txt-1-one', 'a.txt:2:two needle', 'a.txt-3-three', 'a.txt-4-four']
        .concat(['a.txt:5:five needle', 'a.txt:6:six needle', 'a.txt-7-seven'])
        .join('\n'),
    );
    expect(await grep('(?i)one|needle$', { context: 1, glob: '*.txt' })).toContain(
      'a.txt-7-seven\n--\nb/c.txt:1:Needle',
    );
  });

  test('at most limit lines or files, and how many more there are', async () => {
    expect(await grep('needle', { limit: 1, ignore_case: true })).toBe(
      'a.txt:2:two needle\n[3 more lines of 2 files in all; raise limit, or narrow by path, glob or pattern]',
    );
    expect(await grep('(?i)needle', { limit: 1, output: 'files' })).toBe(
      'a.txt\n[1 more file; raise limit, or narrow]',
    );
    expect(await grep('(?i)needle', { output: 'count' })).toBe('3 a.txt\n1 b/c.txt\n[4 lines in 2 files]');
  });

  test.each([
    ['a\nb', 'lines are searched one by one'],
    ['(', 'unclosed group'],
    ['(?=a)', 'look-around'],
    ['(a)\\1', 'backreferences'],
    ['a\\nb', 'lines are searched one by one'],
    ['(\\w{1000}){1000}', 'exceeds size limit'],
    ['[z-a]', 'invalid character class range'],
  ])('a plain reason why the pattern %s is refused, on one line', async (pattern, reason) => {
    const { content, isError } = await site.use('grep', { pattern });
    expect(isError).toBe(true);
    expect(content).toContain(reason);
    expect(content).not.toContain('\n');
  });

  test('a note instead of "no matches" where the deadline came first', async () => {
    const tool = createGrepTool(1);
    const { content } = await tool.run({ pattern: 'nowhere' }, site.context);
    expect(content).toBe('[stopped after 0.001 s, not all was searched; name a folder or a glob]');
  });

  test('the same on a host with another ripgrep and a configuration for it', async () => {
    await site.put('bin/rg', '#!/bin/sh\necho wrong\n');
    await chmod(join(site.root, 'bin/rg'), 0o755);
    await site.put('rc', '--invert-match\n');
    const { PATH } = process.env;
    Object.assign(process.env, { PATH: `${site.root}/bin:${PATH}`, RIPGREP_CONFIG_PATH: join(site.root, 'rc') });
    try {
      expect(await grep('Needle')).toBe('b/c.txt:1:Needle');
    } finally {
      process.env['PATH'] = PATH;
      delete process.env['RIPGREP_CONFIG_PATH'];
    }
  });
});

test('52,000 files are searched and listed', async () => {
  for (let folder = 1; folder <= 520; folder += 1) {
    mkdirSync(join(site.root, `d${folder}`));
    for (let file = 1; file <= 100; file += 1) writeFileSync(join(site.root, `d${folder}/${file}`), '');
  }
  await site.put('d77/needle.txt', 'needle');
  expect(await grep('needle')).toBe('d77/needle.txt:1:needle');
  const { content } = await site.use('glob', { pattern: '**', limit: 2 });
  expect(content).toBe('0 d1/1\n0 d1/10\n[51,999 more files; raise limit, or narrow the pattern]');
}, 300_000); // making so many files takes longer than the search where the disk is busy

test('an empty match at a carriage return, for which the engine names no column, is shown', async () => {
  await site.put('mac.txt', 'a\rb\rneedle\r');
  await site.put('unix.txt', 'a\n\nb\n');
  expect(await grep('^$')).toBe(`mac.txt:1:${String.raw`a\x0db\x0dneedle`}\nunix.txt:2:`);
});

test('a NUL byte in a pattern is refused with how to write it', async () => {
  expect(await site.use('grep', { pattern: 'a\0' })).toEqual({
    content: String.raw`grep: a pattern holds no NUL byte; write \x00 for one`,
    isError: true,
  });
});

test('a file of more than 64 MB that is not UTF-8 is named as not searched', async () => {
  await site.put(
    'big.txt',
    Buffer.concat([Buffer.from('caf\xe9\n', 'latin1'), Buffer.alloc(65 * 2 ** 20, 'a line\n')]),
  );
  expect(await grep('café')).toBe(
    'no matches in what was searched\n[not searched: big.txt (not UTF-8, and too large to convert)]',
  );
});
