import { randomBytes } from 'node:crypto';
import type { Redis } from 'ioredis';

/** What old programs do beside working, command by command as the original does it. */
export interface OldPrograms {
  /** Stores a task as a string and announces it on `channel:tasks`. */
  post(id: string, description: string, more?: object): Promise<void>;
  /** Registers a memory shard of the second version. */
  openShard(specialization?: string): Promise<OldShard>;
  /** Asks the archive through `queue:archive_query`; gives the query's id. */
  ask(question: string): Promise<string>;
  /** Asks peers for help; gives the id of the request. */
  askForHelp(details: string, urgency?: 'urgent' | 'high' | 'normal'): Promise<string>;
}

interface OldShard {
  id: string;
  /** Posts a task for the workers of the type; gives its id. */
  spawn(type: string, description: string, data?: object): Promise<string>;
  /** What its tasks found, as the shard reads it. */
  findings(): Promise<{ finding_id: string; task_id: string; worker_id: string; content: unknown }[]>;
}

/** @param prefix of public keys: empty in the default swarm */
export function createOldPrograms(redis: Redis, prefix: string): OldPrograms {
  const key = (name: string): string => `${prefix}${name}`;
  const newId = (kind: string): string => `${kind}_${randomBytes(4).toString('hex')}`;
  const now = (): string => new Date().toISOString().replace('Z', '000');

  return {
    async post(id, description, more = {}) {
      await redis.set(key(`task:${id}`), JSON.stringify({ description, files: [], ...more }));
      await redis.publish(key('channel:tasks'), id);
    },
    async openShard(specialization = 'general') {
      const shard = newId(`memory_${specialization}`);
      await redis.hset(key(`shard:${shard}`), { type: 'persistent_memory', specialization, registered_at: now() });
      await redis.sadd(key('swarm:memory_shards'), shard);
      return {
        id: shard,
        async spawn(type, description, data = {}) {
          const id = newId(`task_${specialization}`);
          await redis.hset(key(`task:${id}`), {
            task_id: id,
            parent_shard: shard,
            type,
            description,
            data: JSON.stringify(data),
            pass_name: 'unknown',
            posted_at: now(),
            status: 'pending',
          });
          await redis.rpush(key(`queue:${type}`), id);
          await redis.rpush(key(`shard:${shard}:tasks`), id);
          return id;
        },
        async findings() {
          const ids = await redis.lrange(key(`shard:${shard}:findings`), 0, -1);
          const found = await Promise.all(ids.map((id) => redis.hgetall(key(`finding:${id}`))));
          return found.flatMap(({ task_id = '', worker_id = '', content = '{}' }, i) =>
            task_id === ''
              ? []
              : [{ finding_id: ids[i] ?? '', task_id, worker_id, content: JSON.parse(content) as unknown }],
          );
        },
      };
    },
    async ask(question) {
      const id = newId('query');
      const query = { query_id: id, question, timestamp: `${now()}Z`, requester: 'sonnet' };
      await redis.rpush(key('queue:archive_query'), JSON.stringify(query));
      return id;
    },
    async askForHelp(details, urgency = 'normal') {
      const id = newId('assist');
      const request = JSON.stringify({
        assist_id: id,
        requester: 'worker_old',
        blocked_task_id: 'task_old',
        blocker_type: 'MissingData',
        blocker_details: details,
        context_snippet: null,
        urgency,
        timestamp: now(),
      });
      await redis.setex(key(`assist_request:${id}`), 300, request);
      await redis.publish(key(`help_requests:${urgency}`), request);
      await redis.rpush(key(`queue:assist_${urgency}`), id);
      return id;
    },
  };
}
