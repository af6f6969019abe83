/**
 * The simulated providers as a process, for tests and the demo: `node main.js --port 0 --latency-ms 50 --rpm claude-haiku-5-5=100`.
 * `--limits` takes limits by model, such as `{"claude-haiku-5-5":{"requests":50}}`, `--gemini` what
 * `POST /__simulator/gemini/config` takes, and `--openai` what `POST /__simulator/openai/config` takes, all as JSON.
 * Prints one line of JSON, `{"url":…}`, when it listens. Ends on SIGTERM and SIGINT, and with its parent: when the IPC
 * channel or a piped stdin closes. Nothing imports it.
 */
import { fstatSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { toErrorText } from './provider-host/error-text.ts';
import type { Rules } from './anthropic/api/rules.ts';
import { tokenLimitsSchema } from './anthropic/config.ts';
import { faultSchema } from './anthropic/faults/fault.ts';
import { AMPLE_LIMITS } from './anthropic/limits/token-limits.ts';
import { geminiConfigSchema } from './gemini/config.ts';
import { chatConfigSchema } from './openai/config.ts';
import { AMPLE_CHAT_LIMITS } from './openai/limits/chat-limits.ts';
import { startSimulator } from './simulator.ts';

const USAGE = `usage: main.js [--port 0] [--latency-ms 50] [--seed 1] [--rules real|lenient] [--limits JSON] [--rpm MODEL=N]… [--fault JSON]… [--accept-key KEY]… [--gemini JSON] [--openai JSON]`;

try {
  const { geminiConfig, openaiConfig, ...options } = toOptions(process.argv.slice(2));
  const simulator = await startSimulator(options);
  simulator.gemini.configure(geminiConfig);
  simulator.openai.configure(openaiConfig);
  const end = (): void => {
    void simulator.close().then(() => process.exit(0));
  };
  process.once('SIGTERM', end).once('SIGINT', end);
  if (process.channel !== undefined) process.once('disconnect', end);
  if (isPiped()) process.stdin.once('close', end).once('end', end).resume();
  console.log(JSON.stringify({ url: simulator.url, port: simulator.port, pid: process.pid }));
} catch (error) {
  console.error(`simulator: ${toErrorText(error)}\n${USAGE}`);
  process.exitCode = 2;
}

function toOptions(args: string[]) {
  const { values } = parseArgs({
    args,
    options: {
      port: { type: 'string', default: '0' },
      'latency-ms': { type: 'string' },
      seed: { type: 'string', default: '1' },
      rules: { type: 'string' },
      limits: { type: 'string', default: '{}' },
      rpm: { type: 'string', multiple: true, default: [] },
      fault: { type: 'string', multiple: true, default: [] },
      'accept-key': { type: 'string', multiple: true },
      gemini: { type: 'string', default: '{}' },
      openai: { type: 'string', default: '{}' },
    },
  });
  const { 'latency-ms': latency, 'accept-key': keys } = values;
  const latencyMs = latency === undefined ? {} : { latencyMs: toCount('--latency-ms', latency) };
  const seed = toCount('--seed', values.seed);
  const geminiConfig = geminiConfigSchema.parse(JSON.parse(values.gemini));
  return {
    port: toCount('--port', values.port),
    anthropic: {
      seed,
      ...(values.rules === undefined ? {} : { rules: toRules(values.rules) }),
      limits: { ...AMPLE_LIMITS, ...tokenLimitsSchema.parse(JSON.parse(values.limits)) },
      requestsPerMinute: Object.fromEntries(values.rpm.map(toLimit)),
      faults: values.fault.map((json) => faultSchema.parse(JSON.parse(json))),
      ...latencyMs,
      ...(keys === undefined ? {} : { acceptKey: (key: string) => keys.includes(key) }),
    },
    gemini: { seed, ...latencyMs, ...(keys === undefined ? {} : { acceptKeys: keys }) },
    openai: {
      seed,
      limits: AMPLE_CHAT_LIMITS,
      ...latencyMs,
      ...(keys === undefined ? {} : { acceptKey: (key: string) => keys.includes(key) }),
    },
    geminiConfig,
    openaiConfig: chatConfigSchema.parse(JSON.parse(values.openai)),
  };
}

function toRules(value: string): Rules {
  if (value === 'real' || value === 'lenient') return value;
  throw new Error(`--rules: expected real or lenient, got ${JSON.stringify(value)}`);
}

function toLimit(option: string): [string, number] {
  const i = option.lastIndexOf('=');
  return [option.slice(0, i), toCount('--rpm', option.slice(i + 1))];
}

function toCount(option: string, value: string): number {
  if (!/^\d+$/.test(value)) throw new Error(`${option}: expected a whole number, got ${JSON.stringify(value)}`);
  return Number(value);
}

/** Whether stdin is a pipe, so that its end means the end of the parent. A closed or empty stdin (`/dev/null`) ends at once. */
function isPiped(): boolean {
  try {
    const stdin = fstatSync(0);
    return stdin.isFIFO() || stdin.isSocket();
  } catch {
    return false;
  }
}
