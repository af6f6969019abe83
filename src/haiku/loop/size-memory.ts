import { randomUUID } from 'node:crypto';
import type { Effort } from '../../../queues/effort.ts';
import type { Db } from '../../redis/db.ts';
import { addReply, addSizes, areTooFew, NO_SIZES, toFirstRoom, type ReplySizes } from './reply-sizes.ts';

/** The replies of one model at one effort to tasks of one kind, of all workers. */
export interface ReplyGroup {
  /** @param full the room while the replies are not known well enough, tokens */
  toFirstRoom(full: number): number;
  /** Notes a new reply. @param tokens thinking included */
  note(tokens: number): void;
}

/** Names the group of the replies to a task. @param effort undefined: the provider's own default */
export function toGroupName(model: string, effort: Effort | undefined, workspace: object | null): string {
  return `${model}|${effort ?? ''}|${workspace === null ? 'plain' : 'files'}`;
}

/** After so many replies, and after each long one, the room is worked out anew. */
const REPLIES_PER_ROOM = 16;
const LONG_REPLY = 512;

/** What a killed process forgets: the replies of a few seconds. */
const SEND_EVERY_MS = 5_000;

/**
 * Remembers how long replies are. It sends what it saw to Redis now and then, so that no call waits for that; as long as the swarm
 * knows few replies, at once. Workers that are killed every few seconds would else teach it nothing: each call that dies with them would
 * stay uncertain at the worst case of a full room, and a few dozen of those fill the day's budget.
 */
export function createSizeMemory(db: Db): (group: string) => Promise<ReplyGroup> {
  const groups = new Map<string, Promise<Group>>();
  return (name) => {
    const known = groups.get(name);
    if (known !== undefined) return known;
    const group = new Group(db, name);
    const loading = group.load().then(() => group);
    groups.set(name, loading);
    loading.catch(() => groups.delete(name)); // the caller gets the error, and the next task tries again
    return loading;
  };
}

class Group implements ReplyGroup {
  readonly #db: Db;
  readonly #name: string;
  #known = NO_SIZES;
  #fresh = NO_SIZES; // not sent yet
  #sentAt = performance.now();
  #isSending = false;
  #rooms = new Map<number, number>(); // the answer by the full room

  constructor(db: Db, name: string) {
    this.#db = db;
    this.#name = name;
  }

  async load(): Promise<void> {
    this.#known = await this.#exchange(NO_SIZES);
  }

  /** Every task asks, so that the answer is worked out anew only after some replies. */
  toFirstRoom(full: number): number {
    let room = this.#rooms.get(full);
    if (room === undefined) {
      room = toFirstRoom(addSizes(this.#known, this.#fresh), full);
      this.#rooms.set(full, room);
    }
    return room;
  }

  note(tokens: number): void {
    this.#fresh = addReply(this.#fresh, tokens);
    if (this.#fresh.replies % REPLIES_PER_ROOM === 0 || tokens > LONG_REPLY) this.#rooms.clear();
    void this.#sendDue();
  }

  async #sendDue(): Promise<void> {
    if (this.#isSending) return;
    this.#isSending = true;
    let isKept = true;
    while (isKept && this.#isDue()) isKept = await this.#send(); // more may have come meanwhile
    this.#isSending = false;
  }

  #isDue(): boolean {
    if (this.#fresh.replies === 0) return false;
    return areTooFew(this.#known) || performance.now() - this.#sentAt >= SEND_EVERY_MS;
  }

  /** @returns whether Redis has the replies */
  async #send(): Promise<boolean> {
    this.#sentAt = performance.now();
    const sent = this.#fresh;
    try {
      this.#known = await this.#exchange(sent);
      this.#rooms.clear();
      this.#fresh = addSizes(this.#fresh, negate(sent));
      return true;
    } catch {
      return false; // Redis is away: the paid calls of this process report it, and the next send brings these replies, too
    }
  }

  async #exchange({ replies, longer }: ReplySizes): Promise<ReplySizes> {
    const { scripts, keys } = this.#db;
    const nonce = randomUUID().slice(0, 8);
    const [all = 0, ...long] = await scripts['note-replies']({ sizes: keys.replySizes }, [
      this.#name,
      nonce,
      replies,
      ...longer,
    ]);
    return { replies: all, longer: long };
  }
}

function negate({ replies, longer }: ReplySizes): ReplySizes {
  return { replies: -replies, longer: longer.map((count) => -count) };
}
