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
    expect(createSessions(login, () => now).isValid(value)).toBe(true);
    expect(createSessions({ ...login, password: 'another one' }, () => now).isValid(value)).toBe(false);
    now += 12 * 60 * 60_000;
    expect(createSessions(login, () => now).isValid(value)).toBe(false);
  });

  it.each([undefined, '', 'a.b.c', '99999999999999..', '99999999999999.x.y'])(
    'refuses the made-up value %j',
    (value) => {
      expect(createSessions(login).isValid(value)).toBe(false);
    },
  );
});

describe('createLoginThrottle', () => {
  it('lets five mistakes pass, then doubles the wait to a minute at most', () => {
    let now = 0;
    const throttle = createLoginThrottle(() => now);
    const waits = Array.from({ length: 14 }, () => {
      throttle.failed('a');
      const wait = throttle.waitMs('a');
      now += wait;
      return wait;
    });
    expect(waits).toEqual([0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60].map((seconds) => seconds * 1_000));
    expect(throttle.waitMs('b')).toBe(0);
  });

  it('forgets mistakes after a right password', () => {
    const throttle = createLoginThrottle(() => 0);
    for (let i = 0; i < 6; i += 1) throttle.failed('a');
    throttle.succeeded('a');
    expect(throttle.waitMs('a')).toBe(0);
  });
});

describe('isLoopback', () => {
  it.each(['127.0.0.1', '127.9.9.9', 'localhost', '::1', '[::1]'])('%s', (host) => expect(isLoopback(host)).toBe(true));
  it.each(['0.0.0.0', '::', '192.168.0.2', '127.example.org', 'localhost.example.org'])('not %s', (host) =>
    expect(isLoopback(host)).toBe(false),
  );
});
