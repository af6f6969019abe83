import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { forkChild, spawnSimulator, type Child } from '../process/fork-child.ts';
import { startEmbeddedRedis, type EmbeddedRedis } from '../redis/server/embedded.ts';

/** The processes of a demo and their folder. They end with this process, whenever and however it ends, unless `keep`. */
export class DemoProcesses {
  readonly #folder: string;
  readonly #keep: boolean;
  readonly #children: Child[] = [];
  readonly #starting: Promise<unknown>[] = [];
  #redis: EmbeddedRedis | null = null;

  constructor(folder: string, keep: boolean) {
    this.#folder = folder;
    this.#keep = keep;
    if (!keep) process.once('exit', this.#removeFolder); // also where `stop` was not called: `fleet demo | head`
  }

  async startRedis(): Promise<EmbeddedRedis> {
    const starting = startEmbeddedRedis({ folder: join(this.#folder, 'redis'), endWithParent: !this.#keep });
    this.#starting.push(starting);
    this.#redis = await starting;
    return this.#redis;
  }

  /** @returns the simulator's address */
  async startSimulator(env: NodeJS.ProcessEnv): Promise<string> {
    const starting = spawnSimulator({
      env,
      logFolder: this.#logFolder,
      keep: this.#keep,
      args: ['--latency-ms', '50'],
    });
    return (await this.#add(starting)).url;
  }

  /** @param script its built entry file, relative to `dist/` */
  async fork(name: string, script: string, env: NodeJS.ProcessEnv): Promise<void> {
    await this.#add(forkChild({ name, script, env, logFolder: this.#logFolder, keep: this.#keep }));
  }

  /** Process ids of the children and of Redis. */
  get pids(): number[] {
    return [...this.#children.map((child) => child.pid), ...(this.#redis === null ? [] : [this.#redis.pid])];
  }

  /** Ends all processes and removes the folder. Safe to call twice, and while processes start. */
  async stop(): Promise<void> {
    await Promise.allSettled(this.#starting);
    await Promise.all(this.#children.map((child) => child.stop()));
    await this.#redis?.stop(); // last: the others store in it until they end
    process.off('exit', this.#removeFolder);
    this.#removeFolder();
  }

  get #logFolder(): string {
    return join(this.#folder, 'logs');
  }

  async #add<T extends Child>(starting: Promise<T>): Promise<T> {
    this.#starting.push(starting);
    const child = await starting;
    this.#children.push(child);
    return child;
  }

  readonly #removeFolder = (): void => rmSync(this.#folder, { recursive: true, force: true, maxRetries: 5 });
}
