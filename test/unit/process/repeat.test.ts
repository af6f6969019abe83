import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { repeat } from '../../../src/process/repeat.ts';

const warn = vi.fn();
const options = { everyMs: 1_000, what: 'the sweep', log: { warn } };

beforeEach(() => void vi.useFakeTimers());
afterEach(() => {
  vi.useRealTimers();
  warn.mockReset();
});

it('runs at once if asked to, then at intervals, until it is stopped', async () => {
  const work = vi.fn(async () => undefined);
  const stop = repeat({ ...options, firstAfterMs: 0 }, work);
  await vi.advanceTimersByTimeAsync(0);
  expect(work).toHaveBeenCalledTimes(1);
  await vi.advanceTimersByTimeAsync(2_000);
  expect(work).toHaveBeenCalledTimes(3);
  await stop();
  await vi.advanceTimersByTimeAsync(5_000);
  expect(work).toHaveBeenCalledTimes(3);
});

it('never runs twice at once, and stops only after the run that is under way', async () => {
  let end = (): void => undefined;
  const work = vi.fn(() => new Promise<void>((resolve) => (end = resolve)));
  const stop = repeat(options, work);
  await vi.advanceTimersByTimeAsync(4_000);
  expect(work).toHaveBeenCalledTimes(1);

  let stopped = false;
  const stopping = stop().then(() => (stopped = true));
  await vi.advanceTimersByTimeAsync(1_000);
  expect(stopped).toBe(false);
  end();
  await stopping;
  expect(stopped).toBe(true);
});

it('logs a run that fails, and runs again', async () => {
  const work = vi.fn(async () => Promise.reject(new Error('Redis is away')));
  const stop = repeat(options, work);
  await vi.advanceTimersByTimeAsync(2_000);
  await stop();
  expect(work).toHaveBeenCalledTimes(2);
  expect(warn).toHaveBeenCalledWith({ error: expect.any(Error) }, 'the sweep failed; it is tried again');
});
