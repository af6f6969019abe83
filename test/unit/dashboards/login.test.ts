import { describe, expect, it } from 'vitest';
import { createLoginThrottle } from '../../../dashboards/access/login-throttle.ts';
import { isLoopback } from '../../../dashboards/access/request-checks.ts';
import { createSessions } from '../../../dashboards/access/sessions.ts';

const login = { user: 'fleet', password: 'correct horse' };

describe('createSessions', () => {
  it('accepts the right user with the right password only', () => {
    const sessions = createSessions(login);
    expect(sessions.accepts('fleet', 'correct horse')).toBe(true);
    expect(sessions.accepts('fleet', 'correct hors')).toBe(false);
    expect(sessions.accepts('other', 'correct horse')).toBe(false);
    expect(sessions.accepts('', '')).toBe(false);
  });

  it('outlives a restart, not its twelve hours, nor another password', () => {
    let now = 1_000;
    const value = createSessions(login, () => now).issue();
    expect(createSessions(login, () => now).read(value)).toMatchObject({ expiresAt: 43_201_000 });
    expect(createSessions({ ...login, password: 'another one' }, () => now).read(value)).toBeNull();
    now += 12 * 60 * 60_000;
    expect(createSessions(login, () => now).read(value)).toBeNull();
  });

  it.each([undefined, '', 'a.b.c', '99999999999999..', '99999999999999.x.y'])(
    'refuses the made-up value %j',
    (value) => {
      expect(createSessions(login).read(value)).toBeNull();
      expect(createSessions(login).readKnown(value)).toBeNull();
    },
  );
});

describe('the mark of a known browser', () => {
  it('names the browser, and opens no session', () => {
    const sessions = createSessions(login);
    const mark = sessions.issueKnown();
    expect(sessions.readKnown(mark)).toBe(mark.split('.')[0]);
    expect(sessions.read(mark)).toBeNull();
    expect(sessions.readKnown(sessions.issue())).toBeNull();
    expect(createSessions({ ...login, password: 'another one' }).readKnown(mark)).toBeNull();
  });
});

describe('createLoginThrottle', () => {
  /** A throttle whose time passes while a try waits. */
  function make() {
    let now = 0;
    const waits: number[] = [];
    const wait = async (ms: number) => {
      waits.push(ms);
      now += ms;
    };
    return { throttle: createLoginThrottle(() => now, wait), waits };
  }

  it('lets five mistakes pass, then spaces the tries out, and locks nobody out', async () => {
    const { throttle, waits } = make();
    for (let i = 0; i < 9; i += 1) {
      expect(await throttle.turn('a')).toBe(true);
      throttle.failed('a');
    }
    expect(waits).toEqual([1_000, 1_000, 2_000, 4_000]);
    expect(await throttle.turn('a')).toBe(true);
    expect(await throttle.turn('b')).toBe(true);
    expect(waits).toEqual([1_000, 1_000, 2_000, 4_000, 4_000]);
  });

  it('lets five tries of one client wait at once, and refuses more', async () => {
    const goOn: (() => void)[] = [];
    const throttle = createLoginThrottle(
      () => 0,
      () => new Promise<void>((resolve) => goOn.push(resolve)),
    );
    for (let i = 0; i < 5; i += 1) throttle.failed('a');
    const tries = Array.from({ length: 5 }, () => throttle.turn('a'));
    expect(await throttle.turn('a')).toBe(false);
    expect(await throttle.turn('b')).toBe(true);
    for (const resolve of goOn) resolve();
    expect(await Promise.all(tries)).toEqual([true, true, true, true, true]);
  });

  it('forgets mistakes after a right password', async () => {
    const { throttle, waits } = make();
    for (let i = 0; i < 6; i += 1) throttle.failed('a');
    throttle.succeeded('a');
    expect(await throttle.turn('a')).toBe(true);
    expect(waits).toEqual([]);
  });
});

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.9.9.9', 'localhost', '::1', '[::1]'])('%s', (host) => expect(isLoopback(host)).toBe(true));
  it.each(['0.0.0.0', '::', '192.168.0.2', '127.example.org', 'localhost.example.org'])('not %s', (host) =>
    expect(isLoopback(host)).toBe(false),
  );
});
