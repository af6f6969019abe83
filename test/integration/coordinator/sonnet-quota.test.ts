import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admitPlan, createPlanAdmission, readSonnetRoom } from '../../../src/coordinator/delegate/sonnet-quota.ts';
import { planSchema } from '../../../src/coordinator/plan/plan.ts';
import { toTestModels } from '../../support/models/plan-models.ts';
import { useRedis } from '../../support/redis/use-redis.ts';

const test = useRedis();

const reason = 'ambiguous requirements';
const planOf = (haiku: number, sonnet: number) =>
  planSchema.parse({
    approach: '',
    tasks: [
      ...Array.from({ length: haiku }, (_, i) => ({ id: `h${i}`, description: 'x', kind: 'other' })),
      ...Array.from({ length: sonnet }, (_, i) => ({
        id: `s${i}`,
        description: 'x',
        kind: 'other',
        model: 'sonnet',
        reason,
      })),
    ],
  });

describe('a plan in a session', () => {
  it.each([
    { n: 1, allowed: 1 },
    { n: 9, allowed: 1 },
    { n: 10, allowed: 1 },
    { n: 19, allowed: 1 },
    { n: 20, allowed: 2 },
    { n: 2_000, allowed: 200 },
  ])('of $n tasks that is its first may hold $allowed Sonnet tasks', async ({ n, allowed }) => {
    const db = await test.connectDb();
    const mission = { missionId: 'm', session: 's' };
    expect(await readSonnetRoom(db, mission, n)).toBe(allowed);
    const tooMany = { haiku: n - allowed - 1, sonnet: allowed + 1 };
    if (tooMany.haiku >= 0) expect((await admitPlan(db, mission, tooMany)).admitted).toBe(false);
    expect(await admitPlan(db, mission, { haiku: n - allowed, sonnet: allowed })).toMatchObject({ admitted: true });
  });

  it('has the same room whatever other missions and people have given to Sonnet', async () => {
    const db = await test.connectDb();
    await admitPlan(db, { missionId: 'a', session: 's' }, { haiku: 4, sonnet: 1 });
    await test.redis.hset(test.keys.sessionTotals('s'), { 'haiku:tasks': 4, 'sonnet:tasks': 4 });
    const second = { missionId: 'b', session: 's' };
    expect(await admitPlan(db, second, { haiku: 3, sonnet: 2 })).toEqual({
      admitted: false,
      allowed: 1,
      haiku: 4,
      sonnet: 4,
    });
    expect(await admitPlan(db, second, { haiku: 10, sonnet: 1 })).toMatchObject({ admitted: true });
  });

  it('does not count its tasks again when they are done', async () => {
    const db = await test.connectDb();
    await admitPlan(db, { missionId: 'a', session: 's' }, { haiku: 45, sonnet: 5 });
    await test.redis.hset(test.keys.sessionTotals('s'), { 'haiku:tasks': 45, 'sonnet:tasks': 5 });
    expect(await admitPlan(db, { missionId: 'b', session: 's' }, { haiku: 18, sonnet: 2 })).toEqual({
      admitted: true,
      allowed: 2,
      haiku: 45,
      sonnet: 5,
    });
  });

  it('is admitted once, however often it is asked', async () => {
    const db = await test.connectDb();
    const mission = { missionId: 'm', session: 's' };
    for (let time = 0; time < 3; time += 1) {
      expect(await admitPlan(db, mission, { haiku: 9, sonnet: 1 })).toMatchObject({ admitted: true });
    }
    expect(await test.redis.hgetall(test.keys.delegation('s'))).toEqual({ haiku: '9', sonnet: '1' });
    // A person added Sonnet tasks between the admission and the crash: the answer stays the same.
    await test.redis.hset(test.keys.sessionTotals('s'), { 'sonnet:tasks': 7 });
    expect(await admitPlan(db, mission, { haiku: 9, sonnet: 1 })).toMatchObject({ admitted: true });
  });

  it('takes the place of an earlier plan of its mission, and a refused one changes nothing', async () => {
    const db = await test.connectDb();
    const mission = { missionId: 'm', session: 's' };
    await admitPlan(db, mission, { haiku: 9, sonnet: 1 });
    expect(await admitPlan(db, mission, { haiku: 9, sonnet: 2 })).toMatchObject({
      admitted: false,
      haiku: 0,
      sonnet: 0,
    });
    expect(await test.redis.hgetall(test.keys.delegation('s'))).toEqual({ haiku: '9', sonnet: '1' });
    await admitPlan(db, mission, { haiku: 18, sonnet: 2 });
    expect(await test.redis.hgetall(test.keys.delegation('s'))).toEqual({ haiku: '18', sonnet: '2' });
  });

  it('that is only looked at is not counted', async () => {
    const db = await test.connectDb();
    const admit = createPlanAdmission(db, { missionId: 'm', session: 's' }, toTestModels(), 'look');
    expect(await admit(planOf(4, 1))).toMatchObject({ ok: true });
    expect(await test.redis.exists(test.keys.delegation('s'), test.keys.mission('m'))).toBe(0);
  });

  it('is sent back with the numbers of the session', async () => {
    const db = await test.connectDb();
    await admitPlan(db, { missionId: 'a', session: 's' }, { haiku: 4, sonnet: 1 });
    const admit = createPlanAdmission(db, { missionId: 'b', session: 's' }, toTestModels());
    expect(await admit(planOf(1, 2))).toEqual({
      ok: false,
      atWorst: planOf(1, 2),
      problem:
        'the plan gives 2 of 3 tasks to sonnet: at most one in ten may go there, so at most 1 here (session s has 4 haiku and 1 sonnet tasks beside it); give the others to haiku',
    });
  });
});

describe('any sequence of plans', () => {
  const plan = fc.record({
    mission: fc.nat(5),
    total: fc.integer({ min: 1, max: 60 }),
    share: fc.nat(10),
    people: fc.nat(3),
  });

  it('never admits more than one Sonnet task in ten, or one', async () => {
    const db = await test.connectDb();
    let run = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(plan, { minLength: 1, maxLength: 30 }), async (plans) => {
        const session = `s${(run += 1)}`;
        let admitted = 0;
        for (const [i, { total, share, people }] of plans.entries()) {
          const sonnet = Math.min(total, Math.round((total * share) / 20));
          const mission = { missionId: `${session}-${i}`, session };
          const room = await readSonnetRoom(db, mission, total);
          expect(room).toBe(Math.max(1, Math.floor(total / 10)));
          const answer = await admitPlan(db, mission, { haiku: total - sonnet, sonnet });
          expect(answer.admitted).toBe(sonnet <= room);
          if (answer.admitted) admitted += sonnet;
          if (people === 3) await test.redis.hincrby(test.keys.sessionTotals(session), 'sonnet:tasks', 1);
        }
        expect(Number((await test.redis.hget(test.keys.delegation(session), 'sonnet')) ?? 0)).toBe(admitted);
      }),
      { numRuns: 40 },
    );
  });

  it('holds when all plan at the same time', async () => {
    const all = await Promise.all(Array.from({ length: 8 }, () => test.connectDb()));
    const answers = await Promise.all(
      Array.from({ length: 40 }, (_, i) =>
        admitPlan(
          all[i % all.length] ?? (all[0] as never),
          { missionId: `m${i}`, session: 's' },
          { haiku: 4, sonnet: 1 },
        ),
      ),
    );
    const planned = await test.redis.hgetall(test.keys.delegation('s'));
    expect(Number(planned['sonnet'])).toBe(answers.filter(({ admitted }) => admitted).length);
    expect(Number(planned['sonnet'])).toBe(40);
  });
});
