import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** When a process of this host began, in the kernel's ticks: another process may get the same id later. `0` where /proc is missing. */
export function readStart(pid: number): string {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return text.slice(text.lastIndexOf(')') + 2).split(' ')[19] ?? '0';
  } catch {
    return '0';
  }
}

/**
 * Names the system whose process ids this process sees: cloned machines and containers may have the same host name. Not empty,
 * and without a blank; the host's name where /proc is missing.
 */
export function nameSystem(): string {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').trim();
    return `${boot}/${readlinkSync('/proc/self/ns/pid')}`;
  } catch {
    return hostname().replaceAll(/\s/g, '-') || 'host';
  }
}
