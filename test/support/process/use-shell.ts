import { beforeEach } from 'vitest';
import { makeFolder } from '../folder.ts';
import { swarmEnvironment } from '../redis/swarm-environment.ts';
import type { TestRedis } from '../redis/use-redis.ts';
import { plainEnvironment, runFleet, startFleet, type CommandResult, type RunningCommand } from './fleet-command.ts';

/** Where a person types `fleet` commands for the test's swarm. Read its fields inside hooks and tests only. */
export interface Shell {
  /** Its working directory, `FLEET_HOME` and `FLEET_DATA`: an empty folder for each test. */
  readonly folder: string;
  /** What is set in it. */
  env(more?: Record<string, string>): NodeJS.ProcessEnv;
  /** Runs a command to its end. */
  run(...args: string[]): Promise<CommandResult>;
  /** Starts a command. @param options.input what it reads; default nothing */
  start(args: string[], options?: { env?: Record<string, string>; input?: string | Buffer }): RunningCommand;
}

/** @param variables more that is set in every test, made of the shell's folder */
export function useShell(redis: TestRedis, variables: (folder: string) => Record<string, string> = () => ({})): Shell {
  let folder = '';
  beforeEach(() => {
    folder = makeFolder();
  });
  const env = (more: Record<string, string> = {}): NodeJS.ProcessEnv =>
    plainEnvironment(
      swarmEnvironment(redis, { FLEET_HOME: folder, FLEET_DATA: folder, ...variables(folder), ...more }),
    );
  return {
    get folder() {
      return folder;
    },
    env,
    run: (...args) => runFleet(args, env(), folder),
    start: (args, options = {}) => startFleet(args, env(options.env), folder, options.input),
  };
}
