import { describe, expect, it } from 'vitest';
import { SimulatedClock } from '../../../simulator/gemini/quota/clock.ts';
import { GoogleError } from '../../../simulator/gemini/api/google-error.ts';
import { ImplicitCache } from '../../../simulator/gemini/implicit-cache.ts';
import { toPacificDate } from '../../../simulator/gemini/quota/pacific-date.ts';
import { type LimitSettings, ProjectLimits } from '../../../simulator/gemini/quota/project-limits.ts';

const MODEL = 'gemini-3.5-flash-lite';
const NOON = Date.UTC(2026, 10, 21, 20); // noon Pacific

function createLimits(settings: Partial<LimitSettings>) {
  let now = NOON;
  const whole: LimitSettings = { all: {}, byProject: {}, minute: 'sliding', windowMs: 60_000, ...settings };
  const limits = new ProjectLimits(whole, () => now);
  return {
    limits,
    to: (instant: number) => (now = instant),
    pass: (ms: number) => (now += ms),
    take: (tokens = 0, project = 'p', model = MODEL): GoogleError | null => {
      try {
        limits.take(project, model, tokens, 'free');
        return null;
      } catch (error) {
        if (error instanceof GoogleError) return error;
        throw error;
      }
    },
  };
}

const quotaIds = (error: GoogleError | null): string[] =>
  [...JSON.stringify(error?.toBody()).matchAll(/"quotaId":"(\w+)/g)].map(([, id = '']) => id);
const PER_MINUTE = 'GenerateRequestsPerMinutePerProjectPerModel';
const PER_DAY = 'GenerateRequestsPerDayPerProjectPerModel';
const TOKENS = 'GenerateContentInputTokensPerModelPerMinute';

describe('the minute of a project and model', () => {
  it('slides: any 60 seconds hold the limit and no more', () => {
    const { limits, take, pass } = createLimits({ all: { rpm: 2 } });
    expect(take()).toBeNull();
    pass(59_000);
    expect(take()).toBeNull();
    expect(quotaIds(take())).toEqual([PER_MINUTE]);
    pass(1_000); // the first has left the window
    expect(take()).toBeNull();
    expect(take()).not.toBeNull();
    expect(limits.counts()).toMatchObject([{ accepted: 3, refused: 2, mostInWindow: 2 }]);
  });

  it('can be the calendar’s, and then twice the limit fits around its turn', () => {
    const { limits, take, pass } = createLimits({ all: { rpm: 2 }, minute: 'calendar' });
    pass(59_000);
    expect([take(), take()]).toEqual([null, null]);
    expect(take()).not.toBeNull();
    pass(1_000);
    expect([take(), take()]).toEqual([null, null]);
    expect(take()).not.toBeNull();
    expect(limits.counts()).toMatchObject([{ accepted: 4, mostInWindow: 4 }]);
  });

  it('counts prompt tokens with the request that asks', () => {
    const { take, pass } = createLimits({ all: { tpm: 1_000 } });
    expect(take(600)).toBeNull();
    expect(quotaIds(take(401))).toEqual([TOKENS]);
    expect(take(400)).toBeNull();
    pass(60_000);
    expect(take(1_001)).not.toBeNull(); // it can never fit
  });

  it('is one for each project and model, and a project may have its own', () => {
    const { take } = createLimits({ all: { rpm: 1 }, byProject: { q: { rpm: 2 } } });
    expect([take(0, 'p'), take(0, 'q'), take(0, 'q'), take(0, 'p', 'other')]).toEqual([null, null, null, null]);
    expect(take(0, 'q')).not.toBeNull();
  });

  it('says how long until there is room', () => {
    const { take, pass } = createLimits({ all: { rpm: 1 } });
    take();
    pass(21_600);
    expect(take()?.toBody()).toMatchObject({
      error: {
        code: 429,
        status: 'RESOURCE_EXHAUSTED',
        message: expect.stringMatching(/limit: 1, .*\nPlease retry in 38\.4s/),
      },
    });
  });
});

describe('the day of a project and model', () => {
  it('ends at midnight Pacific, on both daylight-saving days too', () => {
    const midnights = [
      [Date.UTC(2026, 10, 22, 8), 24], // standard time
      [Date.UTC(2026, 6, 2, 7), 24], // daylight time
      [Date.UTC(2026, 2, 9, 7), 23], // the day that lost an hour
      [Date.UTC(2026, 10, 2, 8), 25], // the day that gained one
    ] as const;
    for (const [midnight, hours] of midnights) {
      expect(toPacificDate(midnight - 1)).not.toBe(toPacificDate(midnight));
      expect(toPacificDate(midnight - hours * 3_600_000)).toBe(toPacificDate(midnight - 1));
      expect(toPacificDate(midnight - hours * 3_600_000 - 1)).not.toBe(toPacificDate(midnight - 1));
      const { take, to } = createLimits({ all: { rpd: 1 } });
      to(midnight - 1);
      expect(take()).toBeNull();
      expect(quotaIds(take())).toEqual([PER_DAY]);
      to(midnight);
      expect(take()).toBeNull();
    }
  });

  it('refuses with a short delay that misleads', () => {
    const { take } = createLimits({ all: { rpd: 1 } });
    take();
    const details = take()?.details;
    expect(details).toContainEqual({ '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '38s' });
    expect(details).toContainEqual(
      expect.objectContaining({
        violations: [
          {
            quotaMetric: 'generativelanguage.googleapis.com/generate_content_free_tier_requests',
            quotaId: `${PER_DAY}-FreeTier`,
            quotaDimensions: { location: 'global', model: MODEL },
            quotaValue: '1',
          },
        ],
      }),
    );
  });

  it('is counted apart from what was refused, and named with the minute where both are used up', () => {
    const { limits, take } = createLimits({ all: { rpd: 1, rpm: 1 } });
    take();
    expect(quotaIds(take())).toEqual([PER_DAY, PER_MINUTE]);
    expect(limits.counts()[0]?.byDay).toEqual({ '2026-11-21': 1 });
  });
});

it('has a clock that can be set and run fast', () => {
  let real = 1_000;
  const clock = new SimulatedClock(() => real);
  expect(clock.now()).toBe(1_000);
  clock.set({ at: NOON, speed: 1_440 });
  real += 60_000; // a minute of this machine
  expect(clock.now()).toBe(NOON + 86_400_000); // a day of the provider
  clock.set({ speed: 1 });
  real += 5;
  expect(clock.now()).toBe(NOON + 86_400_005);
});

describe('the implicit cache', () => {
  const prompt = (length: number, letter: string) => letter.repeat(length);

  it('reads what an earlier prompt began with, in whole blocks', () => {
    const cache = new ImplicitCache(() => 0);
    const first = prompt(10_000, 'a');
    expect(cache.read('p', first)).toBe(0);
    expect(cache.read('p', `${first}${prompt(10_000, 'b')}`)).toBe(2 * 4_096);
    expect(cache.read('p', `x${first}`)).toBe(0);
    expect(cache.read('q', first)).toBe(0);
  });

  it('forgets after five minutes without use', () => {
    let now = 0;
    const cache = new ImplicitCache(() => now);
    cache.read('p', prompt(5_000, 'a'));
    now = 299_999;
    expect(cache.read('p', prompt(5_000, 'a'))).toBe(4_096);
    now += 300_000;
    expect(cache.read('p', prompt(5_000, 'a'))).toBe(0);
  });
});
