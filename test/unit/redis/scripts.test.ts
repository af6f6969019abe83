import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Redis } from 'ioredis';
import { defineCommand, loadScript } from '../../../src/redis/scripting/script-file.ts';
import type { KeySpec, ScriptSpec } from '../../../src/redis/scripting/script-types.ts';
import { SCRIPTS } from '../../../src/redis/scripts.ts';

const files = readdirSync(new URL('../../../src/redis/scripts/', import.meta.url));
const rows = Object.entries<ScriptSpec>(SCRIPTS).map(([name, spec]) => ({ name, spec }));

describe('the Lua scripts', () => {
  it('are all known by name, and every name has its file', () => {
    const scripts = files.filter((name) => name.endsWith('.lua'));
    expect(new Set(scripts)).toEqual(new Set(rows.map(({ name }) => `${name}.lua`)));
  });

  it.each(rows)('$name says what it does and which keys it takes, and finds what it includes', ({ name }) => {
    const { keys, optional = [], rest } = loadScript(name).header.keys;
    expect([...keys, ...optional, ...(rest === undefined ? [] : [rest])].length).toBeGreaterThan(0);
  });

  it.each(rows)('$name declares the keys of its row in the table, in the same order', ({ name, spec }) => {
    const { header } = loadScript(name);
    expect(header.keys).toEqual(toSnakeCase(spec));
    expect(header.own).toEqual(spec.own === undefined ? null : toSnakeCase(spec.own));
  });

  it.each(rows)('$name declares the answers of its row in the table', ({ name, spec: { answers } }) => {
    const { answerKind, words } = loadScript(name).header;
    expect([answerKind, words.toSorted()]).toEqual([toKind(answers), toWords(answers).toSorted()]);
  });

  it.each(rows.filter(({ spec }) => toWords(spec.answers).length > 0))(
    '$name answers the words of its row in the table, each of them and no other',
    ({ name, spec: { answers } }) => {
      const code = loadScript(name).lua.split(`-- ${name}: `)[1] ?? ''; // without what it includes
      const found = code.matchAll(ANSWER_IN_CODE[toKind(answers)] ?? /$^/g);
      expect(new Set([...found].map(([, word]) => word))).toEqual(new Set(toWords(answers)));
    },
  );

  // A text with a character beyond is kept in two bytes a character, by each process that knows it.
  it.each(rows)('$name is sent with its name, and in Latin-1', ({ name }) => {
    let sent = '';
    const redis = { defineCommand: (_: string, { lua }: { lua: string }) => (sent = lua) };
    defineCommand(Object.assign(redis, { [`fleet:${name}`]: null }) as unknown as Redis, name, loadScript(name).lua);
    expect(sent).toContain(`-- ${name}: `);
    expect(Buffer.from(sent, 'latin1').toString('latin1')).toBe(sent);
  });

  it.each(rows)('$name takes its keys by name only', ({ name }) => {
    const [header = '', ...code] = (loadScript(name).lua.split(`-- ${name}: `)[1] ?? '').split(/^(?=--@answers)/m);
    expect(header).toContain('KEYS');
    expect(code.join('')).not.toMatch(/\bKEYS\b/);
  });
});

const ANSWER_IN_CODE: Record<string, RegExp> = {
  '': /\breturn '([a-z-]+)'/g,
  list: /\{ '([a-z-]+)'/g,
  timed: /\{ now, '([a-z-]+)'/g,
};

function toSnakeCase({ keys, optional, rest }: KeySpec): KeySpec {
  const toName = (name: string) => name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
  return {
    keys: keys.map((name) => toName(name)),
    ...(optional === undefined ? {} : { optional: optional.map((name) => toName(name)) }),
    ...(rest === undefined ? {} : { rest: toName(rest) }),
  };
}

function toKind(answers: ScriptSpec['answers']): string {
  if (typeof answers === 'string') return answers;
  if ('list' in answers) return 'list';
  return 'timed' in answers ? 'timed' : '';
}

function toWords(answers: ScriptSpec['answers']): readonly string[] {
  if (typeof answers === 'string') return [];
  if ('list' in answers) return answers.list;
  return 'timed' in answers ? answers.timed : answers;
}
