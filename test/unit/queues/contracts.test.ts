import { describe, expect, expectTypeOf, it } from 'vitest';
import type { z } from 'zod';
import type { ArchiveFilter, ArchiveInput } from '../../../queues/archive.ts';
import type { MissionInput } from '../../../queues/missions.ts';
import { queueRegistry, type QueueName } from '../../../queues/registry.ts';
import { TASK_KINDS } from '../../../queues/kinds.ts';
import { taskInputSchema, type TaskInput } from '../../../queues/tasks.ts';
import { createKeys } from '../../../src/redis/keys.ts';

const definitions = Object.entries(queueRegistry);

describe('the registry', () => {
  it('holds the three queues with the one job name of each', () => {
    expect(definitions.map(([name, { jobName }]) => [name, jobName])).toEqual([
      ['tasks', 'task'],
      ['archive', 'query'],
      ['missions', 'mission'],
    ]);
    // @ts-expect-error a name outside the registry does not compile
    const wrong: QueueName = 'task';
    expect(wrong in queueRegistry).toBe(false);
  });

  it.each(definitions)('%s retries nothing silently, ends in time, and does not keep jobs for ever', (name, queue) => {
    expect(queue.name).toBe(name);
    expect(name).toMatch(/^[a-z]+$/); // BullMQ allows no colon
    expect(queue.attempts).toBe(1);
    expect(queue.timeoutMs).toBeGreaterThan(0);
    expect(queue.timeoutMs).toBeLessThanOrEqual(24 * 3_600_000);
    for (const { age, count } of Object.values(queue.keep)) {
      expect(age).toBeGreaterThanOrEqual(24 * 3_600);
      expect(age).toBeLessThanOrEqual(30 * 24 * 3_600);
      expect(count).toBeLessThanOrEqual(100_000);
    }
    expect(queue.keep.failed.age).toBeGreaterThan(queue.keep.completed.age); // a person repairs failed ones
  });

  it.each(definitions)('%s is strict when enqueuing and tolerant when working', (_, queue) => {
    const payload = { description: 'x', question: 'x', goal: 'x' };
    const known = Object.fromEntries(Object.entries(payload).filter(([key]) => key in queue.input.shape));
    expect(queue.input.safeParse(known).success).toBe(true);
    expect(queue.input.safeParse({ ...known, colour: 'red' }).success).toBe(false);
    expect(queue.data.safeParse({ ...known, session: 'instance-11', colour: 'red' }).success).toBe(true);
    expect(queue.data.safeParse({}).success).toBe(false);
  });

  it('puts every BullMQ key of a swarm under one hash tag', () => {
    for (const [swarm, tag] of [
      [null, '{fleet}'],
      ['acme', '{acme}'],
    ] as const) {
      const keys = createKeys(swarm);
      expect(keys.bullPrefix).toBe(tag);
      expect(keys.queueKey('tasks', 'wait')).toBe(`${tag}:tasks:wait`);
    }
  });
});

// Compile-time checks: `tsc` fails where a documented type and its schema differ.
it('documents exactly what the schemas accept', () => {
  type Input<Name extends QueueName> = z.input<(typeof queueRegistry)[Name]['input']>;
  expectTypeOf<TaskInput>().toEqualTypeOf<Input<'tasks'>>();
  expectTypeOf<MissionInput>().toEqualTypeOf<Input<'missions'>>();
  expectTypeOf<ArchiveInput>().toEqualTypeOf<Input<'archive'>>();
  expectTypeOf<ArchiveFilter>().toEqualTypeOf<NonNullable<Input<'archive'>['filter']>>();
});

describe('a task', () => {
  const accepts = (task: object): boolean => taskInputSchema.safeParse({ description: 'x', ...task }).success;

  it.each(TASK_KINDS)('may be of kind %s', (kind) => expect(accepts({ kind })).toBe(true));

  it.each([
    [{ description: '' }],
    [{ description: 'x'.repeat(200_001) }],
    [{ kind: 'cooking' }],
    [{ files: [''] }],
    [{ files: 'a.ts' }],
    [{ workspace: 'has space' }],
    [{ workspace: '{tag}' }],
    [{ finding_id: 'a:b' }],
    [{ finding_id: '' }],
    [{ budget_usd: 0 }],
    [{ budget_usd: Number.NaN }],
    [{ max_turns: 0 }],
    [{ max_turns: 1.5 }],
    [{ max_turns: 201 }],
    [{ schema: 'object' }],
    [{ data: undefined, topics: [''] }],
    [{ session: 'instance-11' }], // stamped by the fleet, never given
    [{ batch: 'b' }],
  ])('is refused with %j', (task) => expect(accepts(task)).toBe(false));

  it.each([[null], [0], [false], [''], [[]], [{ deep: [{ a: null }] }]])('carries %j as data', (data) => {
    expect(accepts({ data })).toBe(true);
  });
});
