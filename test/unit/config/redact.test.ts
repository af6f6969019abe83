import { describe, expect, it } from 'vitest';
import { createLogger } from '../../../src/process/logger.ts';

const secret = 'pass"word-of-a-test';

describe('the logger', () => {
  it('never shows a configured secret, in whatever field, error or address it travels', () => {
    const lines: string[] = [];
    const log = createLogger('t', 'info', { secrets: [secret], write: (line) => void lines.push(line) });
    log.error(
      { err: new Error(`refused: ${secret}`), url: `redis://:${encodeURIComponent(secret)}@h`, deep: { x: [secret] } },
      secret,
    );
    expect(lines).toHaveLength(1);
    expect(lines[0]).not.toMatch(/of-a-test/);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 'error', name: 't', msg: '[redacted]' });
  });

  it('knows the shape of a provider key that no configuration named', () => {
    const lines: string[] = [];
    const log = createLogger('t', 'info', { write: (line) => void lines.push(line) });
    log.info(`x ${['sk', 'ant', 'a'.repeat(30)].join('-')} y`);
    expect(lines.join('')).toContain('x [redacted] y');
  });
});
