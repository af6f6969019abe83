import { lookup } from 'node:dns/promises';
import { BlockList, isIP, isIPv6 } from 'node:net';
import { networkInterfaces } from 'node:os';
import { toHost, toPort } from './allow-list.ts';
import type { RedisHost } from '../../../config/redis-servers.ts';
import { ToolRefusal } from '../tool-refusal.ts';

/** Addresses that no allow-list opens: link-local, metadata services, and addresses that contain another one. */
const blocked = new BlockList();
blocked.addSubnet('0.0.0.0', 8, 'ipv4'); // "this host", another form of loopback
blocked.addSubnet('169.254.0.0', 16, 'ipv4'); // link-local; most clouds' metadata
blocked.addSubnet('224.0.0.0', 3, 'ipv4'); // multicast, reserved, broadcast
blocked.addAddress('100.100.100.200', 'ipv4'); // metadata, Alibaba Cloud
blocked.addAddress('192.0.0.192', 'ipv4'); // metadata, Oracle Cloud
blocked.addAddress('168.63.129.16', 'ipv4'); // metadata, Azure
blocked.addAddress('::', 'ipv6');
blocked.addSubnet('fe80::', 10, 'ipv6'); // link-local
blocked.addSubnet('fec0::', 10, 'ipv6'); // site-local, deprecated
blocked.addSubnet('ff00::', 8, 'ipv6'); // multicast
blocked.addSubnet('fd00:ec2::', 32, 'ipv6'); // metadata, AWS
blocked.addSubnet('64:ff9b::', 96, 'ipv6'); // an IPv4 address inside (NAT64)
blocked.addSubnet('64:ff9b:1::', 48, 'ipv6');
blocked.addSubnet('2002::', 16, 'ipv6'); // an IPv4 address inside (6to4)
blocked.addSubnet('2001::', 32, 'ipv6'); // an IPv4 address inside (Teredo)

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
loopback.addAddress('::1', 'ipv6');

/**
 * Returns the address to connect to. The name is looked up once and the connection uses this address, so that a name that
 * resolves differently the second time has no effect.
 * @throws ToolRefusal if the name has no address, or if any of its addresses may not be reached
 */
export async function resolveAddress(url: URL, redis: readonly RedisHost[]): Promise<string> {
  const host = toHost(url);
  const found = await lookup(host, { all: true }).catch((error: unknown) => {
    throw new ToolRefusal(`http: the name ${JSON.stringify(host)} has no address`, { cause: error });
  });
  for (const { address } of found) await checkAddress(address, toPort(url), redis);
  const [first] = found;
  if (first === undefined) throw new ToolRefusal(`http: the name ${JSON.stringify(host)} has no address`);
  return first.address;
}

/** @throws ToolRefusal for a blocked address, and for an address of the fleet's Redis */
export async function checkAddress(address: string, port: number, own: readonly RedisHost[]): Promise<void> {
  if (has(blocked, address)) {
    throw new ToolRefusal(`http: ${address} is a link-local, metadata or reserved address, which is never reached`);
  }
  const hosts = own.filter((one) => one.port === port).map(({ host }) => host.replaceAll(/[[\]]/g, ''));
  const redis = (await Promise.all(hosts.map((host) => lookup(host, { all: true }).catch(() => [])))).flat();
  const isRedis = redis.some((entry) => toPlain(entry.address) === toPlain(address));
  if (isRedis || (isOwn(address) && redis.some((entry) => isOwn(entry.address)))) {
    throw new ToolRefusal(`http: ${address}:${port} is the fleet's Redis, which is never reached`);
  }
}

/** Whether the address belongs to this host: loopback, or one of its interfaces. */
function isOwn(address: string): boolean {
  if (has(loopback, address)) return true;
  return Object.values(networkInterfaces()).some((list) =>
    list?.some((entry) => toPlain(entry.address) === toPlain(address)),
  );
}

function has(list: BlockList, address: string): boolean {
  const plain = toPlain(address);
  return list.check(plain, isIP(plain) === 6 ? 'ipv6' : 'ipv4');
}

/** Removes the zone, and turns an IPv4 address in IPv6 form (`::ffff:127.0.0.1`, `::ffff:7f00:1`) into IPv4. */
function toPlain(address: string): string {
  const bare = address.split('%')[0] ?? address;
  if (!isIPv6(bare)) return bare;
  const written = new URL(`http://[${bare}]/`).hostname.slice(1, -1);
  const mapped = /^::(?:ffff:)?([0-9a-f]{1,4}):([0-9a-f]{1,4})$/.exec(written);
  if (mapped === null) return written;
  const [high, low] = [Number.parseInt(mapped[1] ?? '', 16), Number.parseInt(mapped[2] ?? '', 16)];
  return [high >> 8, high & 255, low >> 8, low & 255].join('.');
}
