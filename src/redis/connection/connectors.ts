import { createConnection } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls } from 'node:tls';
import { AbstractConnector, SentinelConnector, type RedisOptions, type SentinelConnectionOptions } from 'ioredis';
import type { RedisHost, RedisServers } from '../../config/redis-servers.ts';
import { RedisUnusableError } from '../../errors.ts';
import { findOwner } from './cluster-owner.ts';

type EmitError = (type: string, error: Error) => void;
type NetStream = Awaited<ReturnType<AbstractConnector['connect']>>;
/** The fields of INFO by name. */
type Info = Readonly<Record<string, string | undefined>>;

/** Of one Sentinel: the others are asked next. */
const SENTINEL_ANSWERS_MS = 1_000;
const LOOK_AGAIN_MS = 250;

/** How ioredis finds and checks the server of each new connection. It asks anew after each loss, so that it follows a failover. */
export function createConnector(servers: RedisServers): NonNullable<RedisOptions['Connector']> {
  if (servers.kind === 'sentinel') return SentinelMaster;
  return servers.kind === 'single' ? SingleServer : createOwner(servers);
}

/** Accepts a server only as a master; `emit` is told why not. */
function checkMaster(info: Info, address: string, emit: EmitError): boolean {
  if (info['role'] === undefined || info['role'] === 'master') return true;
  emit('error', new Error(`${address} is a replica: waiting until it, or another server there, is the master`));
  return false;
}

class SentinelMaster extends SentinelConnector {
  #emit: EmitError = () => undefined;

  constructor(options: unknown) {
    const given = options as SentinelConnectionOptions;
    super({ ...given, connectTimeout: SENTINEL_ANSWERS_MS, sentinelCommandTimeout: SENTINEL_ANSWERS_MS });
  }

  override connect(emit: EmitError): Promise<NetStream> {
    this.#emit = emit;
    let isUnknown = false;
    return super.connect((type, error) => {
      if (type === 'sentinelError') isUnknown = error.message.endsWith('got an invalid reply: null');
      emit(type, isUnknown && type === 'error' ? new Error('Sentinel knows no master of this name') : error);
    });
  }

  override check(info: Info): boolean {
    return super.check(info) && checkMaster(info, 'the server that Sentinel named', this.#emit);
  }
}

/** Connects to the server that `locate` finds. */
abstract class LocatingConnector extends AbstractConnector {
  readonly #tls: RedisOptions['tls'];
  protected emit: EmitError = () => undefined;

  constructor({ disconnectTimeout = 0, tls }: RedisOptions) {
    super(disconnectTimeout);
    this.#tls = tls;
  }

  protected abstract locate(): Promise<RedisHost>;

  override async connect(emit: EmitError): Promise<NetStream> {
    this.connecting = true;
    this.emit = emit;
    const address = await this.locate();
    if (!this.connecting) throw new Error('Connection is closed.'); // ioredis' own words, which it looks for
    this.stream = this.#tls ? connectTls({ ...address, ...this.#tls }) : createConnection(address);
    this.stream.once('error', (error) => (this.firstError = error));
    return this.stream;
  }
}

class SingleServer extends LocatingConnector {
  readonly #address: RedisHost & { family?: number };

  constructor(options: unknown) {
    const { host = 'localhost', port = 6_379, family } = options as RedisOptions;
    super(options as RedisOptions);
    this.#address = { host, port, ...(family ? { family } : {}) };
  }

  override async locate(): Promise<RedisHost> {
    return this.#address;
  }

  override check(info: Info): boolean {
    const { host, port } = this.#address;
    const problem = findOtherKind(info, `${host}:${port}`);
    if (problem !== null) this.emit('error', new RedisUnusableError(problem));
    return problem === null && checkMaster(info, `${host}:${port}`, this.emit);
  }
}

/** A server that a plain address cannot use, with what to write instead; null: none. */
function findOtherKind(info: Info, address: string): string | null {
  if (info['redis_mode'] === 'sentinel') {
    return `${address} is a Sentinel, which holds no data: set REDIS_URL=redis+sentinel://${address}/<master-name>`;
  }
  if (info['cluster_enabled'] !== '1') return null;
  return `${address} is a node of a Redis Cluster: set REDIS_URL=redis+cluster://${address}, and FLEET_SWARM to a name`;
}

function createOwner(servers: RedisServers): NonNullable<RedisOptions['Connector']> {
  const known = [...servers.hosts]; // shared by all connections of the process, and longer with each answer
  return class SlotOwner extends LocatingConnector {
    #address = '';

    readonly #tls: RedisOptions['tls'];

    constructor(options: unknown) {
      super(options as RedisOptions);
      this.#tls = (options as RedisOptions).tls;
    }

    override async locate(): Promise<RedisHost> {
      while (this.connecting) {
        try {
          const owner = await findOwner(servers, known, this.#tls);
          this.#address = `${owner.host}:${owner.port}`;
          return owner;
        } catch (error) {
          this.emit('error', error instanceof Error ? error : new Error(String(error)));
          await sleep(LOOK_AGAIN_MS);
        }
      }
      throw new Error('Connection is closed.');
    }

    override check(info: Info): boolean {
      return checkMaster(info, this.#address, this.emit);
    }
  };
}
