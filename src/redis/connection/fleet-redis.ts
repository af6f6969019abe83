import { Redis, type ChainableCommander, type Command, type RedisOptions } from 'ioredis';
import type { Redact } from '../../config/redact.ts';
import { redactCommand } from './redacting.ts';
import { insist, insistOnTransaction } from './insist.ts';
import { watchLiveness } from './liveness.ts';
import { isFull, isWrongServer } from './refusals.ts';
import { nameWrongKey } from './name-key.ts';
import { ASK_AGAIN_MS, completePipeline, completeTransaction } from './whole-chains.ts';

/** ioredis' settings of a connection, with replies in the shapes that its types have by default. */
export type ConnectionSettings = RedisOptions & { replyMapping?: never };
type SentItem = Parameters<Redis['handleReconnection']>[1];

/** A server that refuses again so soon after a new connection is asked more rarely. */
const SOON_MS = 5_000;

/**
 * A connection to the master of the fleet's data. Everything that the fleet and BullMQ send goes through one.
 *
 * - It stores and publishes no secret: it removes them from each command, whatever code sends it.
 * - An answer that only the wrong server gives (READONLY, MOVED, LOADING …) leads to a new connection.
 * - A connection without a sign of life is ended, and made anew.
 * - If it waits (`maxRetriesPerRequest` null), a command that was refused by the wrong server or by a full one, or got no answer, is
 *   sent again, and a refused login rejects no command. A transaction that the wrong server refused is not sent again.
 * - A pipeline or transaction of which a broken connection left a part of the answers is completed.
 */
export class FleetRedis extends Redis {
  readonly redact: Redact;
  protected readonly silenceMs: number;
  readonly #scratch: string | null;
  #refusedAt = Number.NEGATIVE_INFINITY;
  #isRefused = false;
  #becomesReady: Promise<void> | null = null;
  /** Commands that a full server refused, in the order in which they are sent again. */
  readonly #refused: Command[] = [];
  /** The one that asks whether the server takes commands again. */
  #probe: Command | null = null;
  #isAsking = false;

  /**
   * @param url null: `options` name the server
   * @param parts.scratch a key that may be deleted: the connection writes to a full Redis, too. Null: it does not
   */
  constructor(
    url: string | null,
    options: ConnectionSettings,
    { redact, silenceMs, scratch = null }: { redact: Redact; silenceMs: number; scratch?: string | null },
  ) {
    super(...((url === null ? [options] : [url, options]) as [string, ConnectionSettings]));
    this.redact = redact;
    this.silenceMs = silenceMs;
    this.#scratch = scratch;
    const { retryStrategy } = options;
    if (retryStrategy) this.options.retryStrategy = (times) => this.#toDelay(retryStrategy(times));
    watchLiveness(this, silenceMs);
  }

  /** BullMQ and the limiter make their own connections so; these are of the same kind. */
  override duplicate: Redis['duplicate'] = ((override?: Partial<RedisOptions>) =>
    new FleetRedis(null, { ...this.options, ...override } as ConnectionSettings, {
      redact: this.redact,
      silenceMs: this.silenceMs,
    })) as Redis['duplicate'];

  /** Where it waits, a connection that breaks before it is ready is no reason to give up: BullMQ would, for good. */
  override async connect(): Promise<void> {
    try {
      await super.connect();
    } catch (error) {
      if (!this.#waits || this.status === 'end') throw error;
      await this.#untilReady(error);
    }
  }

  /** ioredis calls `connect` for each new attempt: all of them wait together. */
  async #untilReady(error: unknown): Promise<void> {
    this.#becomesReady ??= new Promise<void>((resolve, reject) => {
      const onReady = (): void => end(resolve);
      const onEnd = (): void => end(() => reject(error));
      const end = (settle: () => void): void => {
        this.off('ready', onReady).off('end', onEnd);
        this.#becomesReady = null;
        settle();
      };
      this.on('ready', onReady).on('end', onEnd);
    });
    return this.#becomesReady;
  }

  override sendCommand(command: Command, stream?: Parameters<Redis['sendCommand']>[1]): unknown {
    redactCommand(command, this.redact);
    const scratch = this.#scratch;
    const sent = super.sendCommand(command, this.#waits && isAgain(command) ? undefined : stream);
    if (scratch === null || isOfTransaction(command) || !(sent instanceof Promise)) return sent;
    return sent.catch((error: unknown) => insist(this, command, error, scratch));
  }

  override pipeline(commands: unknown[][] = []): ChainableCommander {
    return addAll(
      completePipeline(this, () => this.prepareChain(super.pipeline())),
      commands,
    );
  }

  /** What is done with each new pipeline and transaction before a command is added. */
  protected prepareChain(chain: ChainableCommander): ChainableCommander {
    return chain;
  }

  override multi(options: { pipeline: false }): Promise<'OK'>;
  override multi(options?: { pipeline: true } | unknown[][]): ChainableCommander;
  override multi(options?: { pipeline: boolean } | unknown[][]): ChainableCommander | Promise<'OK'> {
    if (options !== undefined && 'pipeline' in options && !options.pipeline) return super.multi({ pipeline: false });
    const begun = completeTransaction(this, () => this.prepareChain(super.multi()));
    const chain = addAll(begun, Array.isArray(options) ? options : []);
    return this.#scratch === null ? chain : insistOnTransaction(this, chain, this.#scratch);
  }

  override handleReconnection(error: Error, item: SentItem): void {
    nameWrongKey(error, item.command);
    const isHandshake = this.status === 'connect';
    if (!isHandshake && isFull(error)) return this.#askAgainLater(error, item.command as Command);
    if (isHandshake || !isWrongServer(error)) return super.handleReconnection(error, item);
    const command = item.command as Command;
    if (this.status === 'ready') this.#leave();
    if (!this.#waits || isOfTransaction(command)) return command.reject(error);
    this.sendCommand(command);
  }

  override recoverFromFatalError(commandError: Error, error: Error, options: never): void {
    // With options it is a broken protocol. Without, the server refuses the login or is not ready: what waits continues to wait.
    if (!this.#waits || options !== undefined) return super.recoverFromFatalError(commandError, error, options);
    this.silentEmit('error', error);
    this.disconnect(true);
  }

  get #waits(): boolean {
    return this.options.maxRetriesPerRequest === null;
  }

  /**
   * The command waits until the server takes it; one of a transaction is sent again with the transaction. Of all that wait one
   * asks for the others: a server that is full for days would get more and more commands.
   */
  #askAgainLater(error: Error, command: Command): void {
    if (!this.#waits || isOfTransaction(command)) return command.reject(error);
    this.silentEmit('error', error);
    if (command === this.#probe) this.#refused.unshift(command);
    else this.#refused.push(command);
    if (this.#isAsking) return;
    this.#isAsking = true;
    setTimeout(() => this.#askAgain(), ASK_AGAIN_MS);
  }

  #askAgain(): void {
    this.#isAsking = false;
    const first = this.#refused.shift();
    if (first === undefined) return;
    if (first !== this.#probe) {
      this.#probe = first;
      const sendOthers = (): void => {
        this.#probe = null;
        for (const command of this.#refused.splice(0)) this.sendCommand(command);
      };
      first.promise.then(sendOthers, sendOthers); // an error of its own shows as well that the server takes commands
    }
    this.sendCommand(first);
  }

  #leave(): void {
    const now = performance.now();
    this.#isRefused = now - this.#refusedAt < SOON_MS;
    this.#refusedAt = now;
    this.disconnect(true);
  }

  #toDelay(delay: number | void | null): number | void | null {
    if (!this.#isRefused || typeof delay !== 'number') return delay;
    this.#isRefused = false;
    return Math.max(delay, ASK_AGAIN_MS);
  }
}

function isOfTransaction(command: Command): boolean {
  return command.inTransaction || /^(exec|discard)$/i.test(command.name);
}

/**
 * Whether the command of a pipeline is sent another time: then it is sent alone. ioredis gives up a pipeline that was answered in
 * part when the connection ends, which it knows by the index; the rest can be sent again, unless it is a transaction.
 */
function isAgain(command: Command): boolean {
  if (isOfTransaction(command)) return false;
  const isFirst = command.pipelineIndex !== undefined;
  if (isFirst) command.pipelineIndex = undefined; // `delete` would make each later use of the command slow
  return !isFirst;
}

function addAll(chain: ChainableCommander, commands: readonly unknown[][]): ChainableCommander {
  for (const [name, ...args] of commands) {
    (Reflect.get(chain, String(name)) as (...given: unknown[]) => unknown).apply(chain, args);
  }
  return chain;
}
