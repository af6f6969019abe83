import { list, shown } from './fields.ts';
import { redisUrl } from './redis-url.ts';
import { needsSwarm } from './redis-servers.ts';
import type { ConfigNote } from './source/notes.ts';

/** The rule of a swarm's name; `fleet` is the swarm without one. */
const NAME = /^[a-z][a-z0-9-]{0,31}$/;
/** Stands for every swarm that is read, so that none can have this name there. */
const ALL_SWARMS = 'all';
const PEER = /^FLEET_PEER_(.*)$/;

/** Names of swarms, separated by commas, each once. */
export const swarmNames = list.transform((items, context) => {
  for (const item of items) {
    if (NAME.test(item) && item !== ALL_SWARMS) continue;
    const hint = item === '*' || item === ALL_SWARMS ? '; name each of them' : '';
    context.addIssue({ code: 'custom', message: `expected names of swarms like ops,docs, got ${shown(item)}${hint}` });
  }
  return [...new Set(items)];
});

/** `ops-eu` → `FLEET_PEER_OPS_EU`. A swarm's name has no underscore, so that no two swarms share a variable. */
export function peerVariable(swarm: string): string {
  return `FLEET_PEER_${swarm.toUpperCase().replaceAll('-', '_')}`;
}

/**
 * The addresses of other swarms that are on another Redis. Also checks that a swarm reads and shares with others than itself.
 * @param merged the whole environment without empty variables
 * @param own undefined: the rest of the environment is wrong, and is reported elsewhere
 * @returns no problem shows an address, which may contain a password
 */
export function readPeers(
  merged: Record<string, string | undefined>,
  own:
    | { REDIS_URL: string; FLEET_SWARM?: string | undefined; FLEET_READ_SWARMS: string[]; FLEET_SHARE_WITH: string[] }
    | undefined,
): { peers: Record<string, string>; problems: string[]; notes: ConfigNote[] } {
  const peers: Record<string, string> = {};
  const problems: string[] = [];
  const notes: ConfigNote[] = [];
  for (const [variable, address = ''] of Object.entries(merged)) {
    const suffix = PEER.exec(variable)?.[1];
    if (suffix === undefined) continue;
    const swarm = suffix.toLowerCase().replaceAll('_', '-');
    const parsed = redisUrl.safeParse(address);
    if (!NAME.test(swarm) || peerVariable(swarm) !== variable) {
      problems.push(`${variable}: expected the name of a swarm in capitals, like FLEET_PEER_OPS`);
    } else if (!parsed.success) {
      problems.push(...parsed.error.issues.map(({ message }) => `${variable}: ${message}`));
    } else peers[swarm] = parsed.data;
  }
  if (own === undefined) return { peers, problems, notes };
  const { FLEET_SWARM: name = 'fleet', FLEET_READ_SWARMS: read, FLEET_SHARE_WITH: shared } = own;
  if (read.includes(name))
    problems.push(`FLEET_READ_SWARMS: expected other swarms, got ${shown(name)}, which is this one`);
  if (shared.includes(name))
    problems.push(`FLEET_SHARE_WITH: expected other swarms, got ${shown(name)}, which is this one`);
  if (read.includes('fleet') && needsSwarm(peers['fleet'] ?? own.REDIS_URL)) {
    problems.push('FLEET_READ_SWARMS: expected swarms with a name, got "fleet": a cluster holds no swarm without one');
  }
  for (const swarm of Object.keys(peers)) {
    if (read.includes(swarm)) continue;
    notes.push({
      name: peerVariable(swarm),
      seen: `is the address of swarm ${swarm}, which this one does not read`,
      fix: `add ${swarm} to FLEET_READ_SWARMS, or remove it`,
    });
  }
  return { peers, problems, notes };
}
