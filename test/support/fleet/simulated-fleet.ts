import type { TaskInput } from '../../../queues/tasks.ts';
import {
  startAnthropicSimulator,
  type AnthropicSimulator,
  type SimulatorOptions,
} from '../../../simulator/anthropic/server.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { useFleet, type FleetSetup, type TestFleet } from './use-fleet.ts';

/** A fleet in the test's own process, whose provider is the simulator, over HTTP. */
export interface SimulatedFleet extends TestFleet {
  simulator: AnthropicSimulator;
  /** Adds a task and gives its id. The task has one turn if its description has no `[[turns:N]]`. */
  add(description: string, more?: Omit<TaskInput, 'description'>): Promise<string>;
}

export interface SimulatedFleetSetup extends Pick<FleetSetup, 'env' | 'site'> {
  /** How many workers run. Default 1. */
  workers?: number;
  /** Slots of each worker. Default 4. */
  slots?: number;
  simulator?: SimulatorOptions;
}

/** Opens a simulated provider, workers that call it, and a client. All are closed after the test. */
export async function useSimulatedFleet(redis: TestRedis, setup: SimulatedFleetSetup = {}): Promise<SimulatedFleet> {
  const { workers = 1, slots = 4, site } = setup;
  const simulator = await startAnthropicSimulator({ latencyMs: 5, ...setup.simulator });
  redis.cleanup(() => simulator.close());
  const fleet = await useFleet(redis, {
    env: { ANTHROPIC_BASE_URL: simulator.url, FLEET_HAIKU_CONCURRENCY: String(slots), ...setup.env },
    ...(site === undefined ? {} : { site }),
  });
  for (let worker = 0; worker < workers; worker += 1) await fleet.startHaiku('http');
  return Object.assign(fleet, {
    simulator,
    async add(text: string, more: Omit<TaskInput, 'description'> = {}) {
      const description = text.includes('[[turns') ? text : `${text} [[turns:1]]`;
      return (await fleet.tasks.add({ description, ...more })).id;
    },
  });
}
